import { TailtuneError } from "../../shared/errors.ts";
import { raceAbort } from "../../shared/race-abort.ts";
import { maySucceedSoon } from "../../worker/exchange/retry.ts";
import type { RpcServer } from "./rpc-server.ts";
import type { Node } from "./world.ts";

/** The same as in worker/exchange/retry.ts. */
const RETRIES = 5;
const FIRST_WAIT_MS = 100;
/** Deadline of a call. */
const DEADLINE_MS = 5_000;
/** Time after which a connection to an unreachable host counts as broken. */
const KEEPALIVE_MS = 4_000;

export const offline = () => new TailtuneError("offline", "gRPC UNAVAILABLE: no connection");

/** The faulty network between a worker and a coordinator. */
export class RpcLink {
	readonly #node: Node;
	readonly #server: RpcServer;
	readonly #closed = new AbortController();
	#broken: AbortController | undefined;

	constructor(node: Node, server: RpcServer) {
		this.#node = node;
		this.#server = server;
	}

	get isConnected(): boolean {
		return this.#node.isReachable("rpc") && this.#server.node.isReachable("rpc");
	}

	/** Whether no call can succeed any more. */
	get isClosed(): boolean {
		return this.#closed.signal.aborted;
	}

	close(): void {
		this.#closed.abort(new TailtuneError("interrupted", "the connection is closed"));
		this.#broken?.abort(offline());
	}

	/** Aborts when the current connection breaks: some time after the network was cut or the worker died. */
	get broken(): AbortSignal {
		if (this.isClosed) return this.#closed.signal;
		if (!this.#broken || this.#broken.signal.aborted) {
			this.#broken = new AbortController();
			this.#watch(this.#broken);
		}
		return this.#broken.signal;
	}

	/** A call whose request or answer may be lost. It fails if the connection breaks, because a dead server never answers. */
	async call<Result>(answer: () => Promise<Result>): Promise<Result> {
		await this.hop();
		const result = await raceAbort(this.#server.serve(answer), this.broken);
		await this.hop();
		if (this.#node.world.random.chance(this.#node.world.noise.lost)) throw offline();
		return result;
	}

	/** One way of a call. @throws TailtuneError "offline" */
	async hop(): Promise<void> {
		const { random } = this.#node.world;
		await this.#delay();
		if (this.isConnected) return;
		// The call fails at once, or at its deadline.
		await this.#node.sleep(random.chance(0.5) ? 1 : DEADLINE_MS);
		throw offline();
	}

	/**
	 * Yields the messages of a stream, in order, until the connection breaks, at any message, or `signal` aborts.
	 * @param open opens the stream at the server, which notices when the connection breaks
	 */
	async *read<Message>(
		open: (cutOff: AbortSignal) => AsyncIterable<Message>,
		signal: AbortSignal,
	): AsyncGenerator<Message> {
		const { random, noise } = this.#node.world;
		await this.hop();
		const cutOff = new AbortController();
		const cut = () => cutOff.abort(signal.aborted ? signal.reason : offline());
		const ends = [this.broken, this.#closed.signal, signal];
		for (const end of ends) end.addEventListener("abort", cut);
		try {
			if (ends.some(({ aborted }) => aborted)) cut();
			for await (const message of this.#server.stream(() => open(cutOff.signal))) {
				await raceAbort(this.#pass(), cutOff.signal);
				if (random.chance(noise.lost / 4)) throw offline();
				yield message;
			}
		} finally {
			for (const end of ends) end.removeEventListener("abort", cut);
			cutOff.abort(offline());
		}
	}

	/** Repeats a call that failed for a passing reason. */
	async retry<Result>(call: () => Promise<Result>): Promise<Result> {
		for (let tries = 0; ; tries++) {
			try {
				return await call();
			} catch (error) {
				if (this.isClosed || !maySucceedSoon(error) || tries === RETRIES) throw error;
				await this.#node.sleep(FIRST_WAIT_MS * 2 ** tries);
			}
		}
	}

	async #delay(): Promise<void> {
		const { world } = this.#node;
		await world.sleep(world.random.wait(world.noise.delayMs));
		if (this.#node.isDead) await new Promise(() => {});
	}

	/** The way of one message, which waits while the network is cut. */
	async #pass(): Promise<void> {
		await this.#delay();
		while (!this.isConnected) {
			await this.#server.node.reach("rpc");
			await this.#node.reach("rpc");
		}
	}

	#watch(broken: AbortController): void {
		const { world } = this.#node;
		const check = (wasConnected: boolean): (() => void) =>
			world.clock.schedule(() => {
				if (wasConnected || this.isConnected) cancel = check(this.isConnected);
				else broken.abort(offline());
			}, KEEPALIVE_MS);
		let cancel = check(true);
		// If the process dies, its host closes the connection.
		const forget = this.#node.whenKilled(() => world.clock.schedule(() => broken.abort(offline()), this.#node.closeMs));
		broken.signal.addEventListener("abort", () => {
			cancel();
			forget();
		});
	}
}
