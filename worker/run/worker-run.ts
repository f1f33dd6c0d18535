import { setImmediate } from "node:timers/promises";
import type { Bus, Delivery } from "../../shared/bus/bus.ts";
import type { Clock } from "../../shared/clock.ts";
import { type ErrorCode, TailtuneError } from "../../shared/errors.ts";
import type { Answer, WorkerTensors } from "../../shared/exchange/tensor-exchange.ts";
import type { RunSpec, WorkItem } from "../../shared/messages.ts";
import type { Hold, Notices } from "../../shared/notices.ts";
import type { RunConnection } from "../../shared/worker-port.ts";
import { SIGNS_PER_TIMEOUT, WORKER_RETRY_FIRST_MS, WORKER_RETRY_LONGEST_MS } from "../deadlines.ts";
import { repeatEvery } from "./repeat-every.ts";
import { failureAnswer, isOfWorker } from "./results.ts";
import type { Session } from "./session.ts";

/** What a run needs of the worker that serves it. */
export interface RunHost {
	readonly workerId: string;
	readonly bus: Bus;
	readonly clock: Clock;
	/** Does something when it is its turn: in a worker, one item is computed at a time. */
	takeTurn<T>(work: () => Promise<T>): Promise<T>;
	/** Connects to the coordinator of a run; the connection is closed when `signal` aborts. */
	connect(run: RunSpec, signal: AbortSignal): Promise<RunConnection>;
	/** Opens a session, which is of no use when `signal` has aborted. Not to be called in a turn: it takes one itself. */
	openSession(run: RunSpec, connection: RunConnection, signal: AbortSignal): Promise<Session>;
	/** Told what goes wrong and is tried again. */
	readonly notices: Notices;
	/** Called for what no answer to an item can report, such as a lost bus. */
	fail(error: unknown): void;
}

/** What an item is done with. */
interface Ready {
	readonly session: Session;
	readonly tensors: WorkerTensors;
}

/** A coordinator that is out of reach or busy comes back, and with it the session; after any other fault it begins anew. */
const KEEPS_SESSION: ReadonlySet<string> = new Set<ErrorCode>(["offline", "busy"]);

/**
 * One worker's part in one run: pulls the items of the shards assigned to it. Each shard has its next item at hand
 * while another one's is computed, and says "working" of it meanwhile.
 */
export class WorkerRun {
	readonly #run: RunSpec;
	readonly #host: RunHost;
	readonly #ended = new AbortController();
	/** Aborts when nobody waits for anything of the run any more: closes the connection to its coordinator. */
	readonly #over = new AbortController();
	/** What ends the loop of a shard that is ours. */
	readonly #shards = new Map<number, AbortController>();
	readonly #loops = new Set<Promise<void>>();
	#connection: Promise<RunConnection> | undefined;
	#session: Promise<Session> | undefined;
	#isOpen = false;
	/** The coordinator can't be reached: it hears no faults from here, and is to give the shards to others. */
	#isCutOff = false;
	/** Tries that failed by the worker's fault, those in a row, and the wait before the next one. */
	#faults = 0;
	#faultsInRow = 0;
	#pause: Promise<void> = Promise.resolve();
	/** Reports that items are tried again. */
	readonly #retry: Hold;

	constructor(run: RunSpec, host: RunHost) {
		this.#run = run;
		this.#host = host;
		this.#retry = host.notices.hold();
		this.#keep(this.#followAssignments());
	}

	/** Hands back what isn't begun, and closes session and connection. The item in hand is finished unless the run was retired. */
	async end(why: "retired" | "stopping"): Promise<void> {
		this.#ended.abort();
		if (why === "retired" || !this.#isOpen) this.#over.abort(new TailtuneError("interrupted", `run ${why}`));
		for (const shard of this.#shards.values()) shard.abort();
		await Promise.all(this.#loops);
		this.#retry.end();
		await this.#closeSession();
		const connection = await this.#connection?.catch(() => undefined);
		await connection?.close();
	}

	async #followAssignments(): Promise<void> {
		const { bus, workerId } = this.#host;
		for await (const assignment of bus.watchAssignments(this.#run.runId, this.#ended.signal)) {
			const { shard } = assignment;
			const held = this.#shards.get(shard);
			if (assignment.workerId !== workerId) {
				held?.abort();
				this.#shards.delete(shard);
				if (this.#shards.size === 0) this.#retry.end();
			} else if (!held) {
				const begun = new AbortController();
				this.#shards.set(shard, begun);
				this.#keep(this.#serveShard(shard, begun.signal));
			}
		}
	}

	async #serveShard(shard: number, signal: AbortSignal): Promise<void> {
		for await (const delivery of this.#host.bus.pull(this.#run.runId, shard, signal))
			await this.#serve(delivery, signal);
	}

	/** Does an item when it is its turn, or hands it back as soon as its shard is not ours any more. */
	async #serve(delivery: Delivery, signal: AbortSignal): Promise<void> {
		const { bus, clock, takeTurn, fail } = this.#host;
		const everyMs = bus.timing.ackWaitMs / SIGNS_PER_TIMEOUT;
		const say = async () => {
			if (!this.#isCutOff) await delivery.working();
		};
		const endSigns = repeatEvery(clock, everyMs, say, fail);
		let isComputing = false;
		let isSettled = false;
		const handBack = () => {
			if (isComputing || isSettled) return;
			isSettled = true;
			endSigns();
			delivery.nak().catch(fail);
		};
		signal.addEventListener("abort", handBack);
		try {
			while (!isSettled) {
				const pause = this.#pause;
				await pause;
				const ready = await this.#ready(delivery.item, pause);
				if (ready)
					await takeTurn(async () => {
						if (signal.aborted) handBack();
						// Another shard has met a fault meanwhile: this one waits with it.
						if (isSettled || pause !== this.#pause) return;
						isComputing = true;
						isSettled = await this.#do(delivery, ready);
						isComputing = false;
					});
				if (signal.aborted) handBack();
			}
		} finally {
			signal.removeEventListener("abort", handBack);
			endSigns();
		}
	}

	/**
	 * Connects, opens the session and fetches the item's parameters, so that no other run waits for the coordinator of this
	 * one.
	 * @returns undefined if that failed: it is tried again after the next pause
	 */
	async #ready(item: WorkItem, pause: Promise<void>): Promise<Ready | undefined> {
		try {
			const connection = await this.#connect();
			this.#session ??= this.#openSession(connection);
			const session = await this.#session;
			await session.fetchParameters(item);
			this.#isCutOff = false;
			return { session, tensors: connection.tensors };
		} catch (error) {
			// If there is another pause by now, another shard has reported the same.
			const isTold = pause !== this.#pause || this.#ended.signal.aborted;
			if (!isTold) await this.#reportFault(failureAnswer(item, this.#host.workerId, error, true));
			return undefined;
		}
	}

	async #connect(): Promise<RunConnection> {
		this.#connection ??= this.#host.connect(this.#run, this.#over.signal);
		try {
			return await this.#connection;
		} catch (error) {
			this.#connection = undefined;
			throw error;
		}
	}

	#openSession(connection: RunConnection): Promise<Session> {
		const opening = this.#host.openSession(this.#run, connection, this.#over.signal);
		opening.then(
			() => {
				this.#isOpen = true;
			},
			() => {
				this.#session = undefined;
			},
		);
		return opening;
	}

	/**
	 * The item is acknowledged only when the coordinator has its answer: whatever dies in between, it is done again. If the
	 * fault is the worker's, it only reports so and keeps the item for another try, until the coordinator gives the shard away.
	 * @returns whether the item is done with
	 */
	async #do(delivery: Delivery, { session, tensors }: Ready): Promise<boolean> {
		const { item } = delivery;
		const answer = await session.handle(item);
		const fault = answer.result.failure?.ofWorker ? answer : await this.#handIn(answer, item, tensors);
		if (fault) {
			const isOver = !KEEPS_SESSION.has(fault.result.failure?.code ?? "");
			await Promise.all([this.#reportFault(fault), isOver && this.#closeSession()]);
			return false;
		}
		this.#faultsInRow = 0;
		this.#retry.end();
		await delivery.ack();
		return true;
	}

	/** Hands in an answer, and why it is refused if it is. @returns a fault of the worker's own if that can't be done */
	async #handIn(answer: Answer, item: WorkItem, tensors: WorkerTensors): Promise<Answer | undefined> {
		try {
			await tensors.putAnswer(answer);
			return undefined;
		} catch (error) {
			const ofWorker = answer.result.failure !== null || isOfWorker(error);
			const failure = failureAnswer(item, this.#host.workerId, error, ofWorker);
			return ofWorker ? failure : this.#handIn(failure, item, tensors);
		}
	}

	/** Has all shards of the run wait, and tells the coordinator why if it can be reached. */
	async #reportFault({ result }: Answer): Promise<void> {
		const { failure } = result;
		if (!failure) return;
		this.#pauseAll(failure.message);
		const fault = ++this.#faults;
		const connection = await this.#connection?.catch(() => undefined);
		this.#isCutOff = !connection || failure.code === "offline";
		if (this.#isCutOff) return;
		await connection?.tensors
			.putAnswer({ result: { ...result, failure: { ...failure, fault } }, logits: [] })
			.catch(() => {
				this.#isCutOff = true;
			});
	}

	async #closeSession(): Promise<void> {
		const session = await this.#session?.catch(() => undefined);
		this.#session = undefined;
		this.#isOpen = false;
		await session?.close();
	}

	/** Has all shards of the run wait, longer each time. */
	#pauseAll(why: string): void {
		const { bus, clock } = this.#host;
		const ms = Math.min(WORKER_RETRY_FIRST_MS * 2 ** this.#faultsInRow++, WORKER_RETRY_LONGEST_MS);
		this.#retry.begin("retrying", `run ${this.#run.runId} is tried again: ${why}`, 0);
		// A coordinator in this process gives up at once.
		this.#pause = bus.isLocal ? setImmediate() : waitFor(clock, ms, this.#ended.signal);
	}

	#keep(loop: Promise<void>): void {
		const kept = loop.catch(this.#host.fail).finally(() => this.#loops.delete(kept));
		this.#loops.add(kept);
	}
}

/** Waits so many ms, or until `signal` aborts. */
function waitFor(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
	return new Promise((resolve) => {
		const end = () => {
			signal.removeEventListener("abort", end);
			cancel();
			resolve();
		};
		const cancel = clock.schedule(end, ms);
		signal.addEventListener("abort", end);
		if (signal.aborted) end();
	});
}
