import { randomBytes } from "node:crypto";
import { setMaxListeners } from "node:events";
import { AckPolicy, headers, nanos, nuid, type SequenceInfo } from "nats";
import { realClock } from "../../clock.ts";
import { NATS_REQUEST_MS } from "../../deadlines.ts";
import { TailtuneError } from "../../errors.ts";
import { type RunSpec, runSpecCodec, type WorkItem, workItemCodec } from "../../messages.ts";
import type { Hold } from "../../notices.ts";
import type { Assignment, BusTiming } from "../bus.ts";
import { isNoResponders, isNotFound, type NatsLink, waitAtMost } from "./connection.ts";
import { isBlind, readConsumer, replaceLeader } from "./consumers.ts";
import { ACK, NAK, respond } from "./pull.ts";
import { queueHeaders, type RunRecord, type RunRegistry } from "./run-registry.ts";
import { type NatsStreams, OPERATION_HEADER } from "./streams.ts";
import { encodeToken, type NatsNames, shardConsumer } from "./subjects.ts";

export interface RunPublisherParts {
	readonly link: NatsLink;
	readonly names: NatsNames;
	readonly streams: NatsStreams;
	readonly registry: RunRegistry;
	readonly timing: BusTiming;
}

/** An item that has no answer yet. */
interface PendingItem {
	readonly item: Uint8Array;
	readonly shard: number;
	/** Where and when the message was stored; unset before JetStream has confirmed it. */
	stored?: StoredItem;
	/** Whether NATS lost the item and it was published again. */
	isResent: boolean;
}

interface StoredItem {
	readonly queue: string;
	/** Number of the message in the stream. */
	readonly seq: number;
	/** Time of `performance.now()`. */
	readonly atMs: number;
}

type DeliveryNumbers = Pick<SequenceInfo, "stream_seq" | "consumer_seq">;

/**
 * Publishes a run and its items on NATS, for the coordinator that announced it. Every few seconds, after a reconnection
 * and when a publish finds no stream, it checks whether JetStream still has the data, and restores missing data:
 * streams, consumers, the run's entry, assignments, and the items that have no answer yet.
 */
export class RunPublisher {
	/** Number of items that were published again because NATS lost them. */
	republishedItems = 0;
	readonly #parts: RunPublisherParts;
	readonly #spec: RunSpec;
	readonly #specBytes: Uint8Array;
	readonly #assignments = new Map<number, string>();
	readonly #waiting = new Set<PendingItem>();
	/** Notice that items are published again. */
	readonly #resending: Hold;
	readonly #ended = new AbortController();
	#record: RunRecord | undefined;
	/** Creation time of the streams that contain the present queue: newer streams don't contain it. */
	#streamsMade: string | undefined;
	#reconciling: Promise<void> | undefined;
	#lastAction: Promise<void> = Promise.resolve();
	#failure: TailtuneError | undefined;

	constructor(spec: RunSpec, parts: RunPublisherParts) {
		this.#spec = spec;
		this.#specBytes = runSpecCodec.encode(spec);
		this.#parts = parts;
		this.#resending = parts.link.notices.hold();
		setMaxListeners(0, this.ended); // one per pending request
	}

	isOf(spec: RunSpec): boolean {
		return runSpecCodec.encode(spec).equals(this.#specBytes);
	}

	/** Aborted when the run is no longer published here. */
	get ended(): AbortSignal {
		return this.#ended.signal;
	}

	/** The error that ended publishing; undefined if this process ended it. */
	get failure(): TailtuneError | undefined {
		return this.#failure;
	}

	/**
	 * Writes the run into the bucket, with a new queue. Items of a former coordinator of this run are removed.
	 * @throws TailtuneError "protocol" if a different run with this id exists
	 */
	async start(): Promise<void> {
		const { link, registry } = this.#parts;
		const announce = async () => {
			await this.#parts.streams.ensureAll();
			const found = await registry.read(this.#spec.runId);
			if (found && found !== "retired" && !Buffer.from(found.spec).equals(this.#specBytes))
				throw new TailtuneError("protocol", `run ${this.#spec.runId} is already announced with another specification`);
			await this.#makeQueue(found === "retired" ? undefined : found);
		};
		await link.persist(() => this.#runExclusively(announce));
		const hold = link.notices.hold();
		const reconcile = () =>
			void this.reconcile()
				.then(hold.end)
				.catch((error) => {
					if (!this.ended.aborted) hold.begin("stream-settings", error.message, 0);
				});
		const offConnected = link.on("connected", reconcile);
		const schedule = (): (() => void) =>
			realClock.schedule(() => {
				reconcile();
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
		await this.#parts.registry.reach(seq, this.ended);
	}

	/** @param answered aborted when the item has its answer */
	async publish(item: WorkItem, answered: AbortSignal): Promise<void> {
		const bytes = workItemCodec.encode(item);
		const most = this.#parts.link.maxMessageBytes;
		if (bytes.length > most) {
			const message = `item ${item.serial}: found ${bytes.length} bytes, expected at most ${most}, NATS' max_payload`;
			throw new TailtuneError("protocol", `${message}; more --shards make smaller items`);
		}
		const entry: PendingItem = { item: bytes, shard: item.shard, isResent: false };
		const forget = () => {
			this.#waiting.delete(entry);
			this.#acknowledge(entry);
			if (entry.isResent && ![...this.#waiting].some(({ isResent }) => isResent)) this.#resending.end();
		};
		this.#waiting.add(entry);
		answered.addEventListener("abort", forget);
		if (answered.aborted) forget();
		await this.#store(entry);
	}

	/**
	 * Acknowledges an answered item in the name of its worker. The shard's next item is then delivered without waiting
	 * for the worker to learn that its answer has arrived. If there is no connection, which the worker may not have
	 * either, waits for it, because otherwise the item would be computed again. If this message is lost, the worker's own
	 * ack follows.
	 */
	#acknowledge({ stored, shard }: PendingItem): void {
		if (!stored) return;
		const { link } = this.#parts;
		const consumer = shardConsumer(this.#spec.runId, stored.queue, shard);
		// The server finds the delivery by the number of the message.
		const reply = this.#replySubject(consumer, { stream_seq: stored.seq, consumer_seq: 0 });
		if (link.isConnected) respond(link, reply, ACK);
		else link.persist(async () => respond(link, reply, ACK), this.ended).catch(() => {});
	}

	/** Returns the subject for replies to a delivery, as ADR 15 of NATS defines it. */
	#replySubject(consumer: string, { stream_seq, consumer_seq }: DeliveryNumbers): string {
		const delivery = [1, stream_seq, consumer_seq, `${Date.now()}000000`, 0];
		return ["$JS.ACK", this.#parts.names.workStream, consumer, ...delivery].join(".");
	}

	/** Rejects the unacknowledged item of a shard in the name of its worker, so that it is delivered again. */
	async takeBack(shard: number): Promise<void> {
		const { link, names } = this.#parts;
		await link.persist(async () => {
			const { runId, queue } = this.#present();
			const consumer = shardConsumer(runId, queue, shard);
			const info = await readConsumer(link, names.workStream, consumer);
			if (!info || info.num_ack_pending === 0) return;
			// Only one item is unacknowledged at a time: the last delivered one.
			link.nc.publish(this.#replySubject(consumer, info.delivered), NAK);
		}, this.ended);
	}

	/** Checks once whether all data of the run exists, and restores missing data. */
	reconcile(): Promise<void> {
		this.#reconciling ??= this.#parts.link
			.persist(() => this.#runExclusively(() => this.#restore()), this.ended)
			.finally(() => {
				this.#reconciling = undefined;
			});
		return this.#reconciling;
	}

	/** Whether this publisher made the queue, not another coordinator of the run. */
	isQueue(queue: string): boolean {
		return queue === this.#record?.queue;
	}

	/** Ends because another process took the run over or retired it. Does nothing if the publisher has already ended. */
	superseded(how: string): void {
		if (!this.ended.aborted) this.end(new TailtuneError("protocol", `run ${this.#spec.runId} was ${how}`));
	}

	end(failure?: TailtuneError): void {
		this.#waiting.clear();
		this.#resending.end();
		this.#failure = failure;
		this.#ended.abort(failure ?? new TailtuneError("protocol", `run ${this.#spec.runId} is retired`));
	}

	/**
	 * Runs an action after the previous one has ended. When the connection breaks, an action is retried while its former
	 * try may still run: two at the same time would create two queues and leave one of them on the server. The former try
	 * may wait for data that the server has lost, so the wait for it ends when its requests must have timed out.
	 */
	#runExclusively(action: () => Promise<void>): Promise<void> {
		const own = waitAtMost(2 * NATS_REQUEST_MS, this.#lastAction).then(action);
		this.#lastAction = own.catch(() => {});
		return own;
	}

	/** Publishes an item until it is stored; a retry within one call is stored once. */
	async #store(entry: PendingItem): Promise<void> {
		const id = nuid.next();
		await this.#parts.link.persist(async () => {
			try {
				await this.#send(entry, id);
			} catch (error) {
				if (isNoResponders(error)) await this.reconcile();
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
		const { registry, names, streams } = this.#parts;
		const { runId, queue } = this.#present();
		const areSameStreams = (await streams.ensureAll()) === this.#streamsMade;
		const found = await registry.read(runId);
		if (this.ended.aborted) return;
		if (found === "retired") return this.superseded("retired by another process");
		if (found && found.queue !== queue) return this.superseded("taken over by another coordinator");
		const waiting = [...this.#waiting].filter(({ stored }) => stored);
		if (!areSameStreams) await this.#makeQueue(found);
		else {
			await this.#ensureConsumers(this.#present(), new Set(waiting.map(({ shard }) => shard)));
			if (!found) await this.#writeEntries();
		}
		const items = await streams.counts(names.workStream, names.work(runId, this.#present().queue));
		const blind = areSameStreams ? await this.#findBlind(waiting) : new Set();
		for (const entry of waiting) {
			// An item is acknowledged only after its answer is counted: without an answer and not in its queue, it is lost.
			const isHeld = items.has(names.work(runId, this.#present().queue, entry.shard)) && !blind.has(entry.shard);
			if (isHeld || !this.#waiting.has(entry)) continue;
			this.republishedItems++;
			entry.isResent = true;
			const text = "NATS lost items that have no answer yet, or doesn't deliver them: they are sent again";
			this.#resending.begin("retrying", text, 0);
			// A new id: the server may still know the former one and would discard the message as a duplicate.
			await this.#send(entry, nuid.next());
		}
	}

	/** Finds the shards whose consumers don't deliver items that were stored a while ago; their leaders are replaced. */
	async #findBlind(waiting: readonly PendingItem[]): Promise<ReadonlySet<number>> {
		const { link, names, timing } = this.#parts;
		const { runId, queue } = this.#present();
		const isDue = ({ stored }: PendingItem) =>
			stored !== undefined && performance.now() - stored.atMs >= timing.heartbeatLimitMs;
		const blind = new Set<number>();
		const check = async (shard: number) => {
			const consumer = shardConsumer(runId, queue, shard);
			if (!(await isBlind(link, names.workStream, consumer))) return;
			blind.add(shard);
			await replaceLeader(link, names.workStream, consumer);
		};
		await Promise.all([...new Set(waiting.filter(isDue).map(({ shard }) => shard))].map(check));
		return blind;
	}

	/**
	 * Publishes an item once. If it was answered meanwhile, it is acknowledged.
	 * @param msgID the server stores only one message with this id
	 */
	async #send(entry: PendingItem, msgID: string): Promise<void> {
		const { link, names } = this.#parts;
		const { runId, queue } = this.#present();
		const { seq } = await link.js.publish(names.work(runId, queue, entry.shard), entry.item, { msgID });
		entry.stored = { queue, seq, atMs: performance.now() };
		if (!this.#waiting.has(entry)) this.#acknowledge(entry);
	}

	/** Creates a new, empty queue for the run with its consumers, then writes the entry that names it for the workers. */
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
		const { link, registry, names } = this.#parts;
		const { runId, queue } = this.#present();
		let { seq } = await link.js.publish(names.run(runId), this.#specBytes, { headers: queueHeaders(queue) });
		for (const [shard, workerId] of this.#assignments) seq = await this.#putAssignment(shard, workerId);
		await registry.reach(seq, this.ended);
	}

	async #ensureConsumers({ runId, queue }: RunRecord, shards: ReadonlySet<number>): Promise<void> {
		const { link, names, timing } = this.#parts;
		const add = (shard: number) =>
			link.jsm.consumers.add(names.workStream, {
				durable_name: shardConsumer(runId, queue, shard),
				filter_subject: names.work(runId, queue, shard),
				ack_policy: AckPolicy.Explicit,
				ack_wait: nanos(timing.ackWaitMs),
				// One unacknowledged item at a time: no item is delivered before an earlier one is acknowledged.
				max_ack_pending: 1,
			});
		await Promise.all([...shards].map(add));
	}

	/** @returns the sequence number of the assignment in the bucket */
	async #putAssignment(shard: number, workerId: string): Promise<number> {
		const { link, names } = this.#parts;
		const key = names.assignment(this.#spec.runId, shard);
		return (await link.js.publish(key, Buffer.from(encodeToken(workerId)))).seq;
	}
}

/** Retires a run. Any process may do it, not only the one that announced the run. */
export async function retireRun(run: RunRecord, parts: RunPublisherParts): Promise<void> {
	const { link, registry, names, streams } = parts;
	const { runId } = run;
	const deleted = headers();
	deleted.set(OPERATION_HEADER, "DEL");
	const retired = await link.persist(async () => {
		// The entry stays, marked as deleted: a worker or coordinator that reconnects later must not treat the run as lost.
		// It isn't empty, because an empty message that is forwarded to another subject could be taken for a request to the
		// server.
		const { seq } = await link.js.publish(names.run(runId), "retired", { headers: deleted });
		await removeQueue(run, parts);
		await Promise.all([
			streams.purge(names.runsStream, names.assignment(runId)),
			streams.purge(names.workStream, names.work(runId)),
		]);
		return seq;
	});
	await registry.reach(retired, link.closed);
}

async function removeQueue({ runId, queue, shards }: RunRecord, { link, names }: RunPublisherParts): Promise<void> {
	const remove = (_: unknown, shard: number) =>
		link.jsm.consumers.delete(names.workStream, shardConsumer(runId, queue, shard)).catch((error) => {
			if (!isNotFound(error)) throw error;
		});
	await Promise.all(Array.from({ length: shards }, remove));
}
