import { headers, type Msg } from "nats";
import { realClock } from "../../clock.ts";
import { NATS_CLOSE_MS } from "../../deadlines.ts";
import { TailtuneError } from "../../errors.ts";
import { type WorkerInfo, workerInfoCodec } from "../../messages.ts";
import type { Membership, WorkerEvent } from "../bus.ts";
import { Feed } from "../feed.ts";
import { isNoResponders, type NatsLink, waitAtMost } from "./connection.ts";
import { expectId, type NatsStreams, OPERATION_HEADER } from "./streams.ts";
import type { NatsNames } from "./subjects.ts";
import { NotReadyError } from "./trouble.ts";

export interface WorkerRegistryParts {
	readonly link: NatsLink;
	readonly names: NatsNames;
	readonly streams: NatsStreams;
	readonly heartbeatLimitMs: number;
	/** Counts and logs an entry that can't be decoded. */
	readonly refuse: (entry: string, error: unknown) => void;
}

/**
 * Writes a worker's entry now and at every heartbeat. A heartbeat that can't be sent is skipped: the next one replaces
 * it. Waits until a coordinator has created the registry; a notice reports the wait.
 */
export async function joinWorkerRegistry(worker: WorkerInfo, parts: WorkerRegistryParts): Promise<Membership> {
	const { link, names, streams } = parts;
	const key = names.worker(worker.workerId);
	const info = workerInfoCodec.encode(worker);
	const hold = link.notices.hold();
	let hasLeft = false;
	const write = () => link.js.publish(key, info);
	const enter = async () => {
		try {
			await write();
		} catch (error) {
			if (!isNoResponders(error) || (await streams.exists(names.workersStream))) throw error;
			throw new NotReadyError(
				"no-coordinator",
				`${link.at}: no coordinator has connected yet; waiting for the first one`,
			);
		}
	};
	const beat = async () => {
		link.closed.throwIfAborted();
		if (hasLeft) throw new TailtuneError("protocol", `worker ${worker.workerId} has left`);
		if (link.isConnected) await link.attempt(write, hold);
		else hold.end();
	};
	// Watchers then see the worker again before its next heartbeat is due.
	const off = link.on("connected", () => void beat().catch(() => {}));
	const leave = async () => {
		hasLeft = true;
		off();
		hold.end();
		const deleted = headers();
		deleted.set(OPERATION_HEADER, "DEL");
		if (link.isConnected) await waitAtMost(NATS_CLOSE_MS, link.js.publish(key, undefined, { headers: deleted }));
	};
	await link.persist(enter);
	return { beat, leave };
}

/**
 * The registered workers, from their heartbeats. A worker is dropped if no heartbeat arrives for the heartbeat limit,
 * measured by this process's clock. Time without a connection doesn't count, because no heartbeat can arrive then.
 */
export class WorkerRegistry {
	readonly #parts: WorkerRegistryParts;
	readonly #workers = new Feed<Uint8Array, WorkerEvent>((info) => ({
		type: "joined",
		worker: workerInfoCodec.decode(info),
	}));
	/** By worker: a function that stops the timer for its next heartbeat. */
	readonly #heartbeatTimers = new Map<string, () => void>();
	/** Keys received while the bucket is read for the first time: the entries read for them may be older. */
	#received: Set<string> | undefined = new Set();
	#started: Promise<void> | undefined;

	constructor(parts: WorkerRegistryParts) {
		this.#parts = parts;
	}

	async *watch(signal: AbortSignal): AsyncGenerator<WorkerEvent, void, undefined> {
		this.#started ??= this.#start();
		try {
			await this.#started;
		} catch (error) {
			if (this.#parts.link.closed.aborted) return;
			throw error;
		}
		yield* this.#workers.watch(signal);
	}

	/** Returns the workers whose entry exists now. */
	async list(): Promise<WorkerInfo[]> {
		const entries = await this.#parts.link.persist(() => this.#entries());
		return entries.flatMap(([key, bytes]) => this.#decode(key, bytes) ?? []);
	}

	end(): void {
		this.#stopTimers();
		this.#workers.end();
	}

	async #start(): Promise<void> {
		const { link, names } = this.#parts;
		link.nc.subscribe(names.workersKeys, {
			callback: (error, message) => {
				if (error) link.log(`NATS: ${error.message}`);
				else this.#onKeyChanged(message);
			},
		});
		link.on("disconnected", () => this.#stopTimers());
		link.on("connected", () => {
			for (const workerId of this.#heartbeatTimers.keys()) this.#restartTimer(workerId);
		});
		const entries = await link.persist(() => this.#entries());
		for (const [key, bytes] of entries) if (!this.#received?.has(key)) this.#onHeartbeat(key, bytes);
		this.#received = undefined;
	}

	async #entries(): Promise<[key: string, info: Uint8Array][]> {
		const { names, streams } = this.#parts;
		const keys = [...(await streams.counts(names.workersStream, names.workersKeys)).keys()];
		const entries = await Promise.all(keys.map((key) => streams.last(names.workersStream, key)));
		return keys.flatMap((key, i): [string, Uint8Array][] => {
			const entry = entries[i];
			return entry && !entry.headers?.has(OPERATION_HEADER) ? [[key, entry.data]] : [];
		});
	}

	#onKeyChanged({ subject, headers: found, data }: Msg): void {
		this.#received?.add(subject);
		const workerId = this.#parts.names.parseWorkerKey(subject);
		if (!found?.has(OPERATION_HEADER)) this.#onHeartbeat(subject, data);
		else if (workerId !== undefined) this.#remove(workerId, "shut-down");
	}

	#onHeartbeat(key: string, bytes: Uint8Array): void {
		const worker = this.#decode(key, bytes);
		if (!worker) return;
		const { workerId } = worker;
		if (!this.#workers.get(workerId)) this.#workers.set(workerId, bytes);
		this.#restartTimer(workerId);
	}

	#decode(key: string, bytes: Uint8Array): WorkerInfo | undefined {
		const { names, refuse } = this.#parts;
		try {
			const worker = workerInfoCodec.decode(bytes);
			expectId("an entry of worker", worker.workerId, names.parseWorkerKey(key) ?? "");
			return worker;
		} catch (error) {
			refuse(key, error);
			return undefined;
		}
	}

	#restartTimer(workerId: string): void {
		const { link, heartbeatLimitMs } = this.#parts;
		this.#heartbeatTimers.get(workerId)?.();
		const wait = () => {
			let isStopped = false;
			const drop = () => void (isStopped || this.#remove(workerId, "no-heartbeat"));
			// A process that was paused must first read the messages that arrived in the meantime: the reply comes after
			// them.
			const cancel = realClock.schedule(() => void link.nc.flush().then(drop, () => {}), heartbeatLimitMs);
			return () => {
				isStopped = true;
				cancel();
			};
		};
		this.#heartbeatTimers.set(workerId, wait());
	}

	#stopTimers(): void {
		for (const cancel of this.#heartbeatTimers.values()) cancel();
	}

	#remove(workerId: string, reason: "shut-down" | "no-heartbeat"): void {
		if (!this.#workers.get(workerId)) return;
		this.#heartbeatTimers.get(workerId)?.();
		this.#heartbeatTimers.delete(workerId);
		this.#workers.delete(workerId, { type: "left", workerId, reason });
	}
}
