import { isHeartbeatMsg, JsHeaders, type Msg } from "nats";
import type { Entry } from "./streams.ts";

/** An entry of a bucket with its key, which is the subject. */
export interface BucketEntry extends Entry {
	readonly subject: string;
}

/** Receives the entries of a bucket, in the order of the stream. */
export interface BucketReader {
	/** Receives the last entry of each key: at the start, and again whenever entries may have been missed. */
	onSnapshot(entries: readonly BucketEntry[]): void;
	/** Receives an entry that was stored after the snapshot. */
	onKeyChanged(entry: BucketEntry): void;
}

/** Passes the messages of one consumer to a reader: first all present entries of the bucket, then each new entry. */
export class BucketReading {
	readonly #reader: BucketReader;
	readonly #onRead: (seq: number) => void;
	/** The entries received so far; undefined after the snapshot is complete. */
	#entries: BucketEntry[] | undefined = [];
	#delivered = 0;
	#seq = 0;

	/** @param onRead called when the reader has all entries up to this sequence number */
	constructor(reader: BucketReader, onRead: (seq: number) => void) {
		this.#reader = reader;
		this.#onRead = onRead;
	}

	/** Processes the next message of the consumer. @returns false if a message before it is missing */
	receive(message: Msg): boolean {
		if (isHeartbeatMsg(message)) {
			if (Number(message.headers?.get(JsHeaders.LastConsumerSeqHdr)) !== this.#delivered) return false;
			// The server sends heartbeats only if it has no entry to send.
			this.complete();
			return true;
		}
		const place = placeOf(message);
		if (place?.delivery !== this.#delivered + 1) return false;
		this.#delivered++;
		this.#seq = place.seq;
		const entry = { subject: message.subject, data: message.data, headers: message.headers, seq: place.seq };
		if (this.#entries) this.#entries.push(entry);
		else {
			this.#reader.onKeyChanged(entry);
			this.#onRead(place.seq);
		}
		if (place.pending === 0) this.complete();
		return true;
	}

	/** Completes the snapshot: the bucket contained exactly the entries received so far. */
	complete(): void {
		const entries = this.#entries;
		if (!entries) return;
		this.#entries = undefined;
		this.#reader.onSnapshot(entries);
		this.#onRead(this.#seq);
	}
}

/** Reads the sequence numbers of a delivery from its reply subject (ADR 15 of NATS). */
function placeOf({ reply = "" }: Msg): { seq: number; delivery: number; pending: number } | undefined {
	const tokens = reply.split(".");
	// The longer form has the domain and a hash of the account before the name of the stream.
	const [seq, delivery, , pending] = tokens.slice(tokens.length > 9 ? 7 : 5).map(Number);
	if (seq === undefined || delivery === undefined || pending === undefined) return undefined;
	return { seq, delivery, pending };
}
