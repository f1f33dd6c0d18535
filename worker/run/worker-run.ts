import { setImmediate } from "node:timers/promises";
import type { Bus, Delivery } from "../../shared/bus/bus.ts";
import type { Clock } from "../../shared/clock.ts";
import { type ErrorCode, TailtuneError } from "../../shared/errors.ts";
import type { Answer, WorkerTensors } from "../../shared/exchange/tensor-exchange.ts";
import type { RunSpec, WorkItem } from "../../shared/messages.ts";
import type { Hold, Notices } from "../../shared/notices.ts";
import type { RunConnection } from "../../shared/worker-port/running-worker.ts";
import { HEARTBEATS_PER_TIMEOUT, WORKER_RETRY_FIRST_MS, WORKER_RETRY_LONGEST_MS } from "../deadlines.ts";
import { repeatEvery } from "./repeat-every.ts";
import { failureAnswer, isOfWorker } from "./results.ts";
import type { Session } from "./session.ts";

/** The worker, as seen by a run that it serves. */
export interface RunHost {
	readonly workerId: string;
	readonly bus: Bus;
	readonly clock: Clock;
	/** Runs `work` when it is its turn: a worker computes one item at a time. */
	takeTurn<T>(work: () => Promise<T>): Promise<T>;
	/** Connects to the coordinator of a run; the connection is closed when `signal` aborts. */
	connect(run: RunSpec, signal: AbortSignal): Promise<RunConnection>;
	/** Opens a session, unless `signal` aborts. Don't call it during a turn, because it takes a turn itself. */
	openSession(run: RunSpec, connection: RunConnection, signal: AbortSignal): Promise<Session>;
	/** Receives problems that the worker retries. */
	readonly notices: Notices;
	/** Called for errors that no answer to an item can report, such as a lost bus. */
	fail(error: unknown): void;
}

/** Resources that are needed to compute an item. */
interface Ready {
	readonly session: Session;
	readonly tensors: WorkerTensors;
}

/**
 * Codes of faults after which the session and its features are kept, because only numbers on their way from or to the
 * coordinator were lost or wrong; the exchange reads them again. Other faults close the session.
 */
const KEEPS_SESSION: ReadonlySet<string> = new Set<ErrorCode>(["offline", "busy", "checksum"]);

/**
 * A run that a worker serves: pulls the items of the shards assigned to the worker and answers them. Each shard holds
 * its next item while another shard's item is computed, and sends heartbeats for it.
 */
export class WorkerRun {
	readonly #run: RunSpec;
	readonly #host: RunHost;
	readonly #ended = new AbortController();
	/** Aborts when no result of the run is needed any more; closes the connection to its coordinator. */
	readonly #over = new AbortController();
	/** For each of the worker's shards, the controller that ends its loop. */
	readonly #shards = new Map<number, AbortController>();
	readonly #loops = new Set<Promise<void>>();
	#connection: Promise<RunConnection> | undefined;
	#session: Promise<Session> | undefined;
	#isOpen = false;
	/** The coordinator can't be reached, so no heartbeats are sent: it then assigns the shards to other workers. */
	#isCutOff = false;
	/** Number of attempts that failed by the worker's fault. */
	#faults = 0;
	/** The same, since the last success. */
	#faultsInRow = 0;
	/** Resolves when the next attempt may begin. */
	#pause: Promise<void> = Promise.resolve();
	/** Notice that items are retried. */
	readonly #retry: Hold;

	constructor(run: RunSpec, host: RunHost) {
		this.#run = run;
		this.#host = host;
		this.#retry = host.notices.hold();
		this.#track(this.#followAssignments());
	}

	/**
	 * Returns items not yet begun; closes session and connection. Finishes the current item unless the run was retired.
	 */
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
				const serving = new AbortController();
				this.#shards.set(shard, serving);
				this.#track(this.#serveShard(shard, serving.signal));
			}
		}
	}

	async #serveShard(shard: number, signal: AbortSignal): Promise<void> {
		for await (const delivery of this.#host.bus.pull(this.#run.runId, shard, signal))
			await this.#serve(delivery, signal);
	}

	/** Computes an item when it is its turn, or returns it as soon as its shard is assigned to another worker. */
	async #serve(delivery: Delivery, signal: AbortSignal): Promise<void> {
		const { bus, clock, takeTurn, fail } = this.#host;
		const everyMs = bus.timing.ackWaitMs / HEARTBEATS_PER_TIMEOUT;
		const beat = async () => {
			if (!this.#isCutOff) await delivery.working();
		};
		const stopHeartbeats = repeatEvery(clock, everyMs, beat, fail);
		let isComputing = false;
		let isSettled = false;
		const handBack = () => {
			if (isComputing || isSettled) return;
			isSettled = true;
			stopHeartbeats();
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
						// Another shard had a fault meanwhile: this shard waits too.
						if (isSettled || pause !== this.#pause) return;
						isComputing = true;
						isSettled = await this.#do(delivery, ready);
						isComputing = false;
					});
				if (signal.aborted) handBack();
			}
		} finally {
			signal.removeEventListener("abort", handBack);
			stopHeartbeats();
		}
	}

	/**
	 * Connects, opens the session and fetches the item's parameters. This takes no turn, so that other runs don't wait
	 * for the coordinator of this run.
	 * @returns undefined if that failed; the caller tries again after the next pause
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
			// If there is a new pause, another shard has reported the same fault.
			const isReported = pause !== this.#pause || this.#ended.signal.aborted;
			if (!isReported) await this.#reportFault(failureAnswer(item, this.#host.workerId, error, true));
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
	 * Computes an item and sends its answer. The item is acknowledged only when the coordinator has the answer, so no
	 * crash can lose it: by the coordinator, and by the worker in case that ack was lost. After a fault of the worker,
	 * the worker reports the fault and keeps the item for another attempt, until the coordinator assigns the shard to
	 * another worker.
	 * @returns whether the item is finished
	 */
	async #do(delivery: Delivery, { session, tensors }: Ready): Promise<boolean> {
		const { item } = delivery;
		const answer = await session.handle(item);
		const isFault = answer.result.failure?.ofWorker ?? false;
		// Not after a fault: the worker would be sent its item again instead of the worker that gets its shard.
		if (!isFault) delivery.requestNext();
		const fault = isFault ? answer : await this.#submit(answer, item, tensors);
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

	/**
	 * Sends an answer or, if the coordinator refuses it, the reason as a failure.
	 * @returns the worker's fault if neither can be sent
	 */
	async #submit(answer: Answer, item: WorkItem, tensors: WorkerTensors): Promise<Answer | undefined> {
		try {
			await tensors.putAnswer(answer);
			return undefined;
		} catch (error) {
			const ofWorker = answer.result.failure !== null || isOfWorker(error);
			const failure = failureAnswer(item, this.#host.workerId, error, ofWorker);
			return ofWorker ? failure : this.#submit(failure, item, tensors);
		}
	}

	/** Pauses all shards of the run, and sends the fault to the coordinator if it can be reached. */
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

	/** Pauses all shards of the run, longer each time. */
	#pauseAll(why: string): void {
		const { bus, clock } = this.#host;
		const ms = Math.min(WORKER_RETRY_FIRST_MS * 2 ** this.#faultsInRow++, WORKER_RETRY_LONGEST_MS);
		this.#retry.begin("retrying", `retrying an item of run ${this.#run.runId}: ${why}`, 0);
		// A coordinator in this process gives up after the first fault.
		this.#pause = bus.isLocal ? setImmediate() : waitFor(clock, ms, this.#ended.signal);
	}

	#track(loop: Promise<void>): void {
		const kept = loop.catch(this.#host.fail).finally(() => this.#loops.delete(kept));
		this.#loops.add(kept);
	}
}

/** Waits for `ms` milliseconds, or until `signal` aborts. */
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
