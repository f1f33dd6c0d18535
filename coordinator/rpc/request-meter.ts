import type { ServerHttp2Stream } from "node:http2";

/** Bytes in front of each message of gRPC: a flag and the length. */
const HEAD_BYTES = 5;

/** Bytes of answers that a caller with a limit on its requests may leave unread while it asks on. */
const MAX_UNREAD_BYTES = 1 << 20;

/** Follows the messages in a call's bytes, which come in pieces of any size. */
class Framing {
	readonly #head = Buffer.alloc(HEAD_BYTES);
	#known = 0;
	#left = 0;
	#come = 0;
	#complete = 0;

	/** Messages that have come as a whole. */
	get complete(): number {
		return this.#complete;
	}

	/** Bytes that have come of a message that isn't complete. */
	get unfinished(): number {
		return this.#come;
	}

	/** Takes the next bytes. */
	add(bytes: Buffer): void {
		for (let place = 0; place < bytes.length; ) {
			const from = place;
			if (this.#known < HEAD_BYTES) {
				const copied = bytes.copy(this.#head, this.#known, place, place + HEAD_BYTES - this.#known);
				this.#known += copied;
				place += copied;
				if (this.#known === HEAD_BYTES) this.#left = this.#head.readUInt32BE(1);
			}
			const body = this.#known === HEAD_BYTES ? Math.min(this.#left, bytes.length - place) : 0;
			this.#left -= body;
			place += body;
			this.#come += place - from;
			if (this.#known === HEAD_BYTES && this.#left === 0) {
				this.#known = 0;
				this.#come = 0;
				this.#complete++;
			}
		}
	}
}

/** Bytes of requests that a server keeps in memory, all calls together. */
export interface HeldBytes {
	bytes: number;
}

export interface MeterOptions {
	/** Whether the call has a stream of requests: each is done with as soon as it is complete. */
	readonly isStream: boolean;
	/** Bytes that the call's requests may have together. */
	readonly maxCallBytes: number;
	/** Milliseconds from the first byte of a message to its last. */
	readonly messageMs: number;
	readonly held: HeldBytes;
	/** Bytes that all calls together may keep in memory. */
	readonly maxHeldBytes: number;
	/** Told once of a call that goes beyond a limit; it is to be ended. */
	readonly onExcess: (excess: "call" | "held" | "time") => void;
}

/**
 * Watches what a call sends, and how long it takes. A call without a stream must send its one message and end it in time; in
 * a stream each message must be complete in time, and any time may pass between two of them.
 */
export function meterRequest(stream: ServerHttp2Stream, options: MeterOptions): void {
	const { isStream, maxCallBytes, messageMs, held, maxHeldBytes, onExcess } = options;
	const framing = new Framing();
	let total = 0;
	let own = 0;
	let isOver = false;
	let timer: NodeJS.Timeout | undefined;
	const hold = (bytes: number) => {
		held.bytes += bytes - own;
		own = bytes;
	};
	const stop = () => {
		isOver = true;
		stopTimer();
		hold(0);
	};
	const exceed = (excess: "call" | "held" | "time") => {
		stop();
		onExcess(excess);
	};
	const stopTimer = () => {
		clearTimeout(timer);
		timer = undefined;
	};
	const startTimer = () => {
		// A stream that we don't read from, because the message before is not handled yet, has all the time it needs.
		timer ??= setTimeout(() => (stream.isPaused() ? timer?.refresh() : exceed("time")), messageMs).unref();
	};
	if (!isStream) startTimer();
	stream.on("data", (bytes: Buffer) => {
		if (isOver) return;
		total += bytes.length;
		const before = framing.complete;
		framing.add(bytes);
		hold(isStream ? framing.unfinished : total);
		if (isStream && framing.complete > before) stopTimer();
		if (isStream && framing.unfinished > 0) startTimer();
		const isUnread = Number.isFinite(maxCallBytes) && stream.writableLength > MAX_UNREAD_BYTES;
		if (total > maxCallBytes || isUnread) exceed("call");
		else if (held.bytes > maxHeldBytes) exceed("held");
	});
	stream.once("end", stopTimer);
	stream.once("close", stop);
}
