import { randomBytes } from "node:crypto";
import { AckPolicy, headers, nanos, nuid } from "nats";
import { realClock } from "../../clock.ts";
import { NATS_REQUEST_MS } from "../../deadlines.ts";
import { TailtuneError } from "../../errors.ts";
import { type RunSpec, runSpecCodec, type WorkItem, workItemCodec } from "../../messages.ts";
import type { Hold } from "../../notices.ts";
import type { Assignment, BusTiming } from "../bus.ts";
import { isNoResponders, isNotFound, type NatsLink, within } from "./connection.ts";
import { NAK } from "./pull.ts";
import { queueHeaders, type RunMirror, type RunRecord } from "./run-registry.ts";
import { type NatsStreams, OPERATION_HEADER } from "./streams.ts";
import { encodeToken, type NatsNames, shardConsumer } from "./subjects.ts";

/** What a keeper works with. */
export interface KeeperParts {
	readonly link: NatsLink;
	readonly names: NatsNames;
	readonly streams: NatsStreams;
	readonly mirror: RunMirror;
	readonly timing: BusTiming;
}

/** An item that waits for its answer. */
interface Waiting {
	readonly item: Uint8Array;
	readonly shard: number;
	/** Whether JetStream said that it has it. */
	isStored: boolean;
	/** Whether NATS lost it, and it was published again. */
	isResent: boolean;
}

/**
 * Keeps a run on NATS for the coordinator that announced it. Every few seconds, after a reconnection and when a publish finds
 * no stream, it checks whether JetStream still holds what the coordinator stored, and brings back what is lost: streams,
 * consumers, the run's entry, assignments, and the items that still wait for their answer.
 */
export class RunKeeper {
	/** Items that had to be published again. */
	republishedItems = 0;
	readonly #parts: KeeperParts;
	readonly #spec: RunSpec;
	readonly #specBytes: Uint8Array;
	readonly #assignments = new Map<number, string>();
	readonly #waiting = new Set<Waiting>();
	/** The notice of items that were published again. */
	readonly #resending: Hold;
	readonly #ended = new AbortController();
	#record: RunRecord | undefined;
	/** When the streams were made that the present queue is in: others hold nothing of it. */
	#streamsMade: string | undefined;
	#audit: Promise<void> | undefined;
	#turn: Promise<void> = Promise.resolve();
	#failure: TailtuneError | undefined;

	constructor(spec: RunSpec, parts: KeeperParts) {
		this.#spec = spec;
		this.#specBytes = runSpecCodec.encode(spec);
		this.#parts = parts;
		this.#resending = parts.link.notices.hold();
	}

	isOf(spec: RunSpec): boolean {
		return runSpecCodec.encode(spec).equals(this.#specBytes);
	}

	/** Aborted when the run is kept no longer. */
	get ended(): AbortSignal {
		return this.#ended.signal;
	}

	/** Why it is kept no longer, where nobody here asked for that. */
	get failure(): TailtuneError | undefined {
		return this.#failure;
	}

	/**
	 * Writes the run into the bucket, with a queue of its own: what a former coordinator of this run left is forgotten.
	 * @throws TailtuneError "protocol" where another run of that id is there
	 */
	async start(): Promise<void> {
		const { link, mirror } = this.#parts;
		const announce = async () => {
			await this.#parts.streams.ensureAll();
			const found = await mirror.read(this.#spec.runId);
			if (found && found !== "retired" && !Buffer.from(found.spec).equals(this.#specBytes))
				throw new TailtuneError("protocol", `run ${this.#spec.runId} is already announced with another specification`);
			await this.#makeQueue(found === "retired" ? undefined : found);
		};
		await link.persist(() => this.#takeTurn(announce));
		const hold = link.notices.hold();
		const audit = () =>
			void this.audit()
				.then(hold.end)
				.catch((error) => {
					if (!this.ended.aborted) hold.begin("stream-settings", error.message, 0);
				});
		const offConnected = link.on("connected", audit);
		const schedule = (): (() => void) =>
			realClock.schedule(() => {
				audit();
				cancel = schedule();
			}, this.#parts.timing.heartbeatLimitMs);
		let cancel = schedule();
		this.ended.addEventListener("abort", () => {
			offConnected();
			cancel();
			hold.end();
		});
	}

	async assign({ shard, workerId }: Assignment): Promise<void> {
		this.#assignments.set(shard, workerId);
		const seq = await this.#parts.link.persist(() => this.#putAssignment(shard, workerId), this.ended);
		await this.#parts.mirror.reach(seq, this.ended);
	}

	/** @param answered aborts when the item waits no longer */
	async publish(item: WorkItem, answered: AbortSignal): Promise<void> {
		const bytes = workItemCodec.encode(item);
		const most = this.#parts.link.maxMessageBytes;
		if (bytes.length > most) {
			const message = `item ${item.serial}: found ${bytes.length} bytes, expected at most ${most}, NATS' max_payload`;
			throw new TailtuneError("protocol", `${message}; more --shards or fewer --local-steps make smaller items`);
		}
		const entry = { item: bytes, shard: item.shard, isStored: false, isResent: false };
		const forget = () => {
			this.#waiting.delete(entry);
			if (entry.isResent && ![...this.#waiting].some(({ isResent }) => isResent)) this.#resending.end();
		};
		this.#waiting.add(entry);
		answered.addEventListener("abort", forget);
		if (answered.aborted) forget();
		await this.#store(entry);
	}

	/** Hands back, in the name of whoever has it, the item of a shard that is in hand. */
	async takeBack(shard: number): Promise<void> {
		const { link, names } = this.#parts;
		await link.persist(async () => {
			const { runId, queue } = this.#present();
			const consumer = shardConsumer(runId, queue, shard);
			const info = await link.jsm.consumers.info(names.workStream, consumer).catch((error) => {
				if (!isNotFound(error)) throw error;
			});
			if (!info || info.num_ack_pending === 0) return;
			// One item at a time is out, so the last one delivered is the one. ADR 15 of NATS says how its reply is named.
			const { stream_seq, consumer_seq } = info.delivered;
			const reply = `$JS.ACK.${names.workStream}.${consumer}.1.${stream_seq}.${consumer_seq}.${Date.now()}000000.0`;
			link.nc.publish(reply, NAK);
		}, this.ended);
	}

	/** Looks once whether all is there, and brings back what isn't. */
	audit(): Promise<void> {
		this.#audit ??= this.#parts.link
			.persist(() => this.#takeTurn(() => this.#restore()), this.ended)
			.finally(() => {
				this.#audit = undefined;
			});
		return this.#audit;
	}

	/** Whether this queue is the one made here, and not one of another coordinator of the run. */
	isQueue(queue: string): boolean {
		return queue === this.#record?.queue;
	}

	/** Ends because somebody else did that to the run; nothing happens where the keeper has ended. */
	lose(what: string): void {
		if (!this.ended.aborted) this.end(new TailtuneError("protocol", `run ${this.#spec.runId} was ${what}`));
	}

	end(failure?: TailtuneError): void {
		this.#waiting.clear();
		this.#resending.end();
		this.#failure = failure;
		this.#ended.abort(failure ?? new TailtuneError("protocol", `run ${this.#spec.runId} is retired`));
	}

	/**
	 * Does something when the action before it is over. A connection that breaks has an action tried again while the former
	 * try may still go on: two at once would make a queue each, and leave one of them on the server. What the former try waits
	 * for may be gone with the server's files: it is waited for as long as its requests can take.
	 */
	#takeTurn(action: () => Promise<void>): Promise<void> {
		const own = within(2 * NATS_REQUEST_MS, this.#turn).then(action);
		this.#turn = own.catch(() => {});
		return own;
	}

	/** Publishes an item until it is stored; a retry within one call is stored once. */
	async #store(entry: Waiting): Promise<void> {
		const { link, names } = this.#parts;
		const msgID = nuid.next();
		await link.persist(async () => {
			const { runId, queue } = this.#present();
			try {
				await link.js.publish(names.work(runId, queue, entry.shard), entry.item, { msgID });
				entry.isStored = true;
			} catch (error) {
				if (isNoResponders(error)) await this.audit();
				throw error;
			}
		}, this.ended);
	}

	#present(): RunRecord {
		this.ended.throwIfAborted();
		if (!this.#record) throw new TailtuneError("protocol", `run ${this.#spec.runId} is not announced`);
		return this.#record;
	}

	async #restore(): Promise<void> {
		const { mirror, names, streams } = this.#parts;
		const { runId, queue } = this.#present();
		const areSameStreams = (await streams.ensureAll()) === this.#streamsMade;
		const found = await mirror.read(runId);
		if (this.ended.aborted) return;
		if (found === "retired") return this.lose("retired by somebody else");
		if (found && found.queue !== queue) return this.lose("taken over by another coordinator");
		const waiting = [...this.#waiting].filter(({ isStored }) => isStored);
		if (!areSameStreams) await this.#makeQueue(found);
		else {
			await this.#ensureConsumers(this.#present(), new Set(waiting.map(({ shard }) => shard)));
			if (!found) await this.#writeEntries();
		}
		const items = await streams.counts(names.workStream, names.work(runId, this.#present().queue));
		for (const entry of waiting) {
			// An item is acknowledged after its answer was counted: one that still waits and isn't in its queue is lost.
			const isHeld = items.has(names.work(runId, this.#present().queue, entry.shard));
			if (isHeld || !this.#waiting.has(entry)) continue;
			this.republishedItems++;
			entry.isResent = true;
			this.#resending.begin("retrying", "NATS lost items that wait for their answer: they are sent again", 0);
			await this.#republish(entry);
		}
	}

	async #republish(entry: Waiting): Promise<void> {
		const { link, names } = this.#parts;
		const { runId, queue } = this.#present();
		// An id of its own: the server may still know the one under which it lost the item.
		await link.js.publish(names.work(runId, queue, entry.shard), entry.item, { msgID: nuid.next() });
	}

	/** A new queue for the run, empty, with its consumers; then the entry that sends the workers there. */
	async #makeQueue(former: RunRecord | undefined): Promise<void> {
		const { names, streams } = this.#parts;
		const { runId, shards } = this.#spec;
		const queue = randomBytes(8).toString("hex");
		const made = await streams.ensureAll();
		if (former) await removeQueue(former, this.#parts);
		await streams.purge(names.workStream, names.work(runId));
		const record = { runId, spec: this.#specBytes, shards, queue };
		await this.#ensureConsumers(record, new Set(Array(shards).keys()));
		this.#record = record;
		this.#streamsMade = made;
		await this.#writeEntries();
	}

	async #writeEntries(): Promise<void> {
		const { link, mirror, names } = this.#parts;
		const { runId, queue } = this.#present();
		let { seq } = await link.js.publish(names.run(runId), this.#specBytes, { headers: queueHeaders(queue) });
		for (const [shard, workerId] of this.#assignments) seq = await this.#putAssignment(shard, workerId);
		await mirror.reach(seq, this.ended);
	}

	async #ensureConsumers({ runId, queue }: RunRecord, shards: ReadonlySet<number>): Promise<void> {
		const { link, names, timing } = this.#parts;
		const add = (shard: number) =>
			link.jsm.consumers.add(names.workStream, {
				durable_name: shardConsumer(runId, queue, shard),
				filter_subject: names.work(runId, queue, shard),
				ack_policy: AckPolicy.Explicit,
				ack_wait: nanos(timing.ackWaitMs),
				// One item out at a time: what is not acknowledged is not overtaken.
				max_ack_pending: 1,
			});
		await Promise.all([...shards].map(add));
	}

	/** @returns its sequence number in the bucket */
	async #putAssignment(shard: number, workerId: string): Promise<number> {
		const { link, names } = this.#parts;
		const key = names.assignment(this.#spec.runId, shard);
		return (await link.js.publish(key, Buffer.from(encodeToken(workerId)))).seq;
	}
}

/** Retires a run, whoever announced it. */
export async function retireRun(run: RunRecord, parts: KeeperParts): Promise<void> {
	const { link, mirror, names, streams } = parts;
	const { runId } = run;
	const deleted = headers();
	deleted.set(OPERATION_HEADER, "DEL");
	const retired = await link.persist(async () => {
		// The mark stays: a worker or a coordinator that comes back later must not take the run for lost. It isn't empty, since
		// an empty message that somebody has delivered elsewhere could pass for a request to the server.
		const { seq } = await link.js.publish(names.run(runId), "retired", { headers: deleted });
		await removeQueue(run, parts);
		await Promise.all([
			streams.purge(names.runsStream, names.assignment(runId)),
			streams.purge(names.workStream, names.work(runId)),
		]);
		return seq;
	});
	await mirror.reach(retired, link.closed);
}

async function removeQueue({ runId, queue, shards }: RunRecord, { link, names }: KeeperParts): Promise<void> {
	const remove = (_: unknown, shard: number) =>
		link.jsm.consumers.delete(names.workStream, shardConsumer(runId, queue, shard)).catch((error) => {
			if (!isNotFound(error)) throw error;
		});
	await Promise.all(Array.from({ length: shards }, remove));
}
