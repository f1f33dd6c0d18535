import { isHeartbeatMsg, JsHeaders, type Msg } from "nats";
import type { Entry } from "./streams.ts";

/** An entry of a bucket with its key. */
export interface BucketEntry extends Entry {
	readonly subject: string;
}

/** Receives the entries of a bucket, in the order in which the stream stored them. */
export interface BucketReader {
	/** The last entry of each key: at the start, and again whenever some entries may have been missed. */
	all(entries: readonly BucketEntry[]): void;
	/** An entry that was stored after those. */
	next(entry: BucketEntry): void;
}

/** Takes the messages of one consumer: first everything that the bucket holds, then each new entry. */
export class BucketReading {
	readonly #reader: BucketReader;
	readonly #onKnown: (seq: number) => void;
	/** The entries that have come, until all have. */
	#entries: BucketEntry[] | undefined = [];
	#delivered = 0;
	#seq = 0;

	/** @param onKnown called when the reader has all entries up to that sequence number */
	constructor(reader: BucketReader, onKnown: (seq: number) => void) {
		this.#reader = reader;
		this.#onKnown = onKnown;
	}

	/** Takes the next message of the consumer; false if a message before it is missing. */
	hear(message: Msg): boolean {
		if (isHeartbeatMsg(message)) {
			if (Number(message.headers?.get(JsHeaders.LastConsumerSeqHdr)) !== this.#delivered) return false;
			// The server sends heartbeats only when it has no entry to send.
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
			this.#reader.next(entry);
			this.#onKnown(place.seq);
		}
		if (place.pending === 0) this.complete();
		return true;
	}

	/** Ends the first part: the bucket held the entries that have come so far, and no others. */
	complete(): void {
		const entries = this.#entries;
		if (!entries) return;
		this.#entries = undefined;
		this.#reader.all(entries);
		this.#onKnown(this.#seq);
	}
}

/** Reads a delivery's numbers from its reply subject (ADR 15 of NATS). */
function placeOf({ reply = "" }: Msg): { seq: number; delivery: number; pending: number } | undefined {
	const tokens = reply.split(".");
	// In the longer form the domain and a hash of the account stand before the stream's name.
	const [seq, delivery, , pending] = tokens.slice(tokens.length > 9 ? 7 : 5).map(Number);
	if (seq === undefined || delivery === undefined || pending === undefined) return undefined;
	return { seq, delivery, pending };
}
