import { headers, type Msg } from "nats";
import { realClock } from "../../clock.ts";
import { NATS_CLOSE_MS } from "../../deadlines.ts";
import { TailtuneError } from "../../errors.ts";
import { type WorkerInfo, workerInfoCodec } from "../../messages.ts";
import type { Membership, WorkerEvent } from "../bus.ts";
import { Feed } from "../feed.ts";
import { isNoResponders, type NatsLink, within } from "./connection.ts";
import { expectId, type NatsStreams, OPERATION_HEADER } from "./streams.ts";
import type { NatsNames } from "./subjects.ts";
import { NotYet } from "./trouble.ts";

/** What the registry works with. */
export interface RegistryParts {
	readonly link: NatsLink;
	readonly names: NatsNames;
	readonly streams: NatsStreams;
	readonly heartbeatLimitMs: number;
	/** Told of what is in the bucket and is none of ours. */
	readonly refuse: (what: string, error: unknown) => void;
}

/**
 * Writes a worker's entry at every beat. A beat that can't be sent is left out: the next one tells as much. Waits, and says
 * so in the notices, until a coordinator has made the registry.
 */
export async function joinRegistry(worker: WorkerInfo, parts: RegistryParts): Promise<Membership> {
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
			throw new NotYet("no-coordinator", `${link.at}: no coordinator has been here yet; waiting for the first one`);
		}
	};
	const beat = async () => {
		link.closed.throwIfAborted();
		if (hasLeft) throw new TailtuneError("protocol", `worker ${worker.workerId} has left`);
		if (link.isConnected) await link.attempt(write, hold);
		else hold.end();
	};
	// So that who watches hears of it before the next beat is due.
	const off = link.on("connected", () => void beat().catch(() => {}));
	const leave = async () => {
		hasLeft = true;
		off();
		hold.end();
		const goodBye = headers();
		goodBye.set(OPERATION_HEADER, "DEL");
		if (link.isConnected) await within(NATS_CLOSE_MS, link.js.publish(key, undefined, { headers: goodBye }));
	};
	await link.persist(enter);
	return { beat, leave };
}

/**
 * The workers as a watcher hears them. A worker is silent when nothing was heard of it for the heartbeat limit, by this
 * process's clock alone; time without a connection doesn't count, as then nobody can be heard.
 */
export class WorkerRegistry {
	readonly #parts: RegistryParts;
	readonly #workers = new Feed<Uint8Array, WorkerEvent>((info) => ({
		type: "joined",
		worker: workerInfoCodec.decode(info),
	}));
	/** By worker: what stops the wait for its next beat. */
	readonly #silenceWaits = new Map<string, () => void>();
	/** Keys heard while the bucket is read for the first time: what was read of them may be older. */
	#heard: Set<string> | undefined = new Set();
	#started: Promise<void> | undefined;

	constructor(parts: RegistryParts) {
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

	/** Those whose entry is there now. */
	async list(): Promise<WorkerInfo[]> {
		const entries = await this.#parts.link.persist(() => this.#entries());
		return entries.flatMap(([key, bytes]) => this.#decode(key, bytes) ?? []);
	}

	end(): void {
		this.#endWaits();
		this.#workers.end();
	}

	async #start(): Promise<void> {
		const { link, names } = this.#parts;
		link.nc.subscribe(names.workersKeys, {
			callback: (error, message) => {
				if (error) link.log(`NATS: ${error.message}`);
				else this.#hear(message);
			},
		});
		link.on("disconnected", () => this.#endWaits());
		link.on("connected", () => {
			for (const workerId of this.#silenceWaits.keys()) this.#awaitBeat(workerId);
		});
		const entries = await link.persist(() => this.#entries());
		for (const [key, bytes] of entries) if (!this.#heard?.has(key)) this.#heardOf(key, bytes);
		this.#heard = undefined;
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

	#hear({ subject, headers: found, data }: Msg): void {
		this.#heard?.add(subject);
		const workerId = this.#parts.names.parseWorkerKey(subject);
		if (!found?.has(OPERATION_HEADER)) this.#heardOf(subject, data);
		else if (workerId !== undefined) this.#remove(workerId, "shut-down");
	}

	#heardOf(key: string, bytes: Uint8Array): void {
		const worker = this.#decode(key, bytes);
		if (!worker) return;
		const { workerId } = worker;
		if (!this.#workers.get(workerId)) this.#workers.set(workerId, bytes);
		this.#awaitBeat(workerId);
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

	#awaitBeat(workerId: string): void {
		const { link, heartbeatLimitMs } = this.#parts;
		this.#silenceWaits.get(workerId)?.();
		const wait = () => {
			let isHeard = false;
			const drop = () => void (isHeard || this.#remove(workerId, "no-heartbeat"));
			// A process that stood still must first read what came meanwhile: the reply comes after all that.
			const cancel = realClock.schedule(() => void link.nc.flush().then(drop, () => {}), heartbeatLimitMs);
			return () => {
				isHeard = true;
				cancel();
			};
		};
		this.#silenceWaits.set(workerId, wait());
	}

	#endWaits(): void {
		for (const cancel of this.#silenceWaits.values()) cancel();
	}

	#remove(workerId: string, reason: "shut-down" | "no-heartbeat"): void {
		if (!this.#workers.get(workerId)) return;
		this.#silenceWaits.get(workerId)?.();
		this.#silenceWaits.delete(workerId);
		this.#workers.delete(workerId, { type: "left", workerId, reason });
	}
}
