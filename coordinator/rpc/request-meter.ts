import type { ServerHttp2Stream } from "node:http2";

/** Bytes before each gRPC message: a flag and the length. */
const HEAD_BYTES = 5;

/** Bytes of answers that a caller may leave unread while it sends more, if its requests are limited. */
const MAX_UNREAD_BYTES = 1 << 20;

/** Finds the messages in a call's bytes, which arrive in pieces of any size. */
class Framing {
	readonly #head = Buffer.alloc(HEAD_BYTES);
	#known = 0;
	#left = 0;
	#arrived = 0;
	#complete = 0;

	/** Number of messages that have arrived completely. */
	get complete(): number {
		return this.#complete;
	}

	/** Bytes that have arrived of the message that isn't complete. */
	get unfinished(): number {
		return this.#arrived;
	}

	/** Adds the next bytes of the call. */
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
			this.#arrived += place - from;
			if (this.#known === HEAD_BYTES && this.#left === 0) {
				this.#known = 0;
				this.#arrived = 0;
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
	/** Whether the call has a stream of requests: the memory of each is free again when it is complete. */
	readonly isStream: boolean;
	/** Most bytes of all requests of the call together. */
	readonly maxCallBytes: number;
	/** Most milliseconds from the first byte of a message to its last. */
	readonly messageMs: number;
	readonly held: HeldBytes;
	/** Most bytes that all calls together may keep in memory. */
	readonly maxHeldBytes: number;
	/** Called once when a call exceeds a limit; the caller must end it. */
	readonly onExcess: (excess: "call" | "held" | "time") => void;
}

/**
 * Enforces limits on a call's bytes and time. A call without a stream must send and end its one message in time. In a
 * stream each message must be complete in time, but any time may pass between two messages.
 */
export function meterRequest(stream: ServerHttp2Stream, options: MeterOptions): void {
	const { isStream, maxCallBytes, messageMs, held, maxHeldBytes, onExcess } = options;
	const framing = new Framing();
	const timer = new MessageTimer(stream, messageMs, () => exceed("time"));
	let total = 0;
	let own = 0;
	let isOver = false;
	const hold = (bytes: number) => {
		held.bytes += bytes - own;
		own = bytes;
	};
	const stop = () => {
		isOver = true;
		timer.stop();
		hold(0);
	};
	const exceed = (excess: "call" | "held" | "time") => {
		stop();
		onExcess(excess);
	};
	if (!isStream) timer.start();
	stream.on("data", (bytes: Buffer) => {
		if (isOver) return;
		total += bytes.length;
		const before = framing.complete;
		framing.add(bytes);
		hold(isStream ? framing.unfinished : total);
		if (isStream && framing.complete > before) timer.stop();
		if (isStream && framing.unfinished > 0) timer.start();
		const isUnread = Number.isFinite(maxCallBytes) && stream.writableLength > MAX_UNREAD_BYTES;
		if (total > maxCallBytes || isUnread) exceed("call");
		else if (held.bytes > maxHeldBytes) exceed("held");
	});
	stream.once("end", () => timer.stop());
	stream.once("close", stop);
}

/** Measures the time in which a message must be complete. */
class MessageTimer {
	readonly #stream: ServerHttp2Stream;
	readonly #limitMs: number;
	readonly #onLate: () => void;
	#timer: NodeJS.Timeout | undefined;

	constructor(stream: ServerHttp2Stream, limitMs: number, onLate: () => void) {
		this.#stream = stream;
		this.#limitMs = limitMs;
		this.#onLate = onLate;
	}

	/** Starts the time of a message; no effect if it has been started. */
	start(): void {
		this.#timer ??= setTimeout(() => this.#check(), this.#limitMs).unref();
	}

	stop(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
	}

	/** While the server itself pauses the stream, because it still handles the message before, the time doesn't count. */
	#check(): void {
		if (this.#stream.isPaused()) this.#timer?.refresh();
		else this.#onLate();
	}
}
