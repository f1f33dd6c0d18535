import { once } from "node:events";
import { AckPolicy, createInbox, DeliverPolicy, nanos, nuid } from "nats";
import { realClock } from "../../clock.ts";
import { NATS_FOLLOW_RETRY_MS } from "../../deadlines.ts";
import { joinSignals } from "../../join-signals.ts";
import { Changes } from "../changes.ts";
import { isNotFound, type NatsLink } from "./connection.ts";
import { type BucketReader, BucketReading } from "./reading.ts";

export interface FollowOptions {
	readonly stream: string;
	/** The keys to follow, as one subject. */
	readonly subjects: string;
	/**
	 * The server sends a heartbeat after this many ms without an entry. After twice this time the bucket is read again.
	 */
	readonly heartbeatMs: number;
	readonly inboxPrefix: string;
}

/**
 * Reads a bucket and all later changes with an ordered consumer, so that no entry is missed. If a message is missing,
 * or the connection or the stream was lost, the whole bucket is read again.
 */
export class BucketFollower {
	readonly #link: NatsLink;
	readonly #options: FollowOptions;
	readonly #reader: BucketReader;
	readonly #changes = new Changes();
	/** Number of times that reading the whole bucket has started. */
	#readings = 0;
	/** Whether the present reading has all entries that the bucket contained at its start. */
	#isWhole = false;
	/** Sequence number of the last entry of the present reading. */
	#seq = 0;
	#hasStarted = false;
	/** Ends the wait before the next reading. */
	#wake = () => {};

	constructor(link: NatsLink, options: FollowOptions, reader: BucketReader) {
		this.#link = link;
		this.#options = options;
		this.#reader = reader;
	}

	/**
	 * Starts reading; resolves when the reader has all present entries of the bucket. A bucket that doesn't exist yet
	 * counts as empty.
	 * @throws TailtuneError as `NatsLink.persist`
	 */
	start(): Promise<void> {
		const { closed } = this.#link;
		return new Promise((resolve, reject) => {
			const known = this.#until(() => this.#isWhole, closed);
			known.then(() => (closed.aborted ? reject(closed.reason) : resolve()), reject);
			this.#follow().catch(reject);
		});
	}

	/**
	 * Waits until the reader has the entry with this sequence number, or a later entry of its key, or `signal` aborts.
	 */
	async reach(seq: number, signal: AbortSignal): Promise<void> {
		const begun = this.#readings;
		this.#wake();
		const isKnown = () => this.#isWhole && (this.#readings > begun || this.#seq >= seq);
		await this.#until(isKnown, signal); // also ends when the connection is closed
	}

	async #until(isTrue: () => boolean, signal: AbortSignal): Promise<void> {
		for await (const _ of this.#changes.follow(() => isTrue() || undefined, signal)) return;
	}

	async #follow(): Promise<void> {
		const { closed, log } = this.#link;
		closed.addEventListener("abort", () => this.#changes.end());
		if (closed.aborted) this.#changes.end();
		while (!closed.aborted) {
			this.#readings++;
			this.#isWhole = false;
			this.#seq = 0;
			try {
				await this.#read();
			} catch (error) {
				if (!this.#hasStarted) throw error;
				if (closed.aborted) return;
				log(`NATS: ${this.#options.stream} can't be read: ${error instanceof Error ? error.message : error}`);
				await this.#pause();
			}
		}
	}

	/** Reads the bucket and then each new entry, until an entry may have been missed. */
	async #read(): Promise<void> {
		const { nc, log, closed } = this.#link;
		const lost = new AbortController();
		const inbox = createInbox(this.#options.inboxPrefix);
		const reading = new BucketReading(this.#reader, (seq) => this.#onRead(seq));
		let endSilence = () => {};
		const awaitNext = () => {
			endSilence();
			endSilence = realClock.schedule(() => lost.abort(), 2 * this.#options.heartbeatMs);
		};
		const subscription = nc.subscribe(inbox, {
			callback: (error, message) => {
				if (error) log(`NATS: ${error.message}`);
				if (error || lost.signal.aborted) return;
				awaitNext();
				if (!reading.receive(message)) lost.abort();
			},
		});
		const offDisconnected = this.#link.on("disconnected", () => lost.abort());
		try {
			const count = await this.#link.persist(() => this.#createConsumer(inbox));
			awaitNext();
			if (!count) reading.complete();
			if (count === undefined) await this.#pause();
			else await untilAborted(lost.signal, closed);
		} finally {
			endSilence();
			offDisconnected();
			subscription.unsubscribe();
		}
	}

	#onRead(seq: number): void {
		this.#hasStarted = true;
		this.#isWhole = true;
		this.#seq = seq;
		this.#changes.notify();
	}

	/** @returns the number of entries in the bucket; undefined if it doesn't exist */
	async #createConsumer(inbox: string): Promise<number | undefined> {
		const { stream, subjects, heartbeatMs } = this.#options;
		try {
			const { num_pending } = await this.#link.jsm.consumers.add(stream, {
				name: nuid.next(),
				deliver_subject: inbox,
				deliver_policy: DeliverPolicy.LastPerSubject,
				filter_subject: subjects,
				ack_policy: AckPolicy.None,
				max_deliver: 1,
				idle_heartbeat: nanos(heartbeatMs),
				mem_storage: true,
				num_replicas: 1,
			});
			return num_pending;
		} catch (error) {
			if (isNotFound(error)) return undefined;
			throw error;
		}
	}

	/** Waits before the next reading. */
	async #pause(): Promise<void> {
		const over = new AbortController();
		const cancel = realClock.schedule(() => over.abort(), NATS_FOLLOW_RETRY_MS);
		this.#wake = () => over.abort();
		await untilAborted(over.signal, this.#link.closed);
		cancel();
	}
}

/** Waits until one of the signals aborts. */
async function untilAborted(...signals: readonly AbortSignal[]): Promise<void> {
	const { signal, release } = joinSignals(...signals);
	if (!signal.aborted) await once(signal, "abort");
	release();
}
