import { koffi } from "../../../shared/koffi.ts";
import { aliasOf, sharedViewOf } from "../../../shared/vectors/allocate-vectors.ts";

/** A vector in shared memory, as sent to the engine thread. */
export interface SentVector {
	/** Undefined: the memory of the vector that was sent before this one. */
	readonly memory: SharedArrayBuffer | undefined;
	readonly byteOffset: number;
	readonly length: number;
}

/**
 * Sends vectors to the thread. A memory is sent once: each message makes a new object for it, and the thread needs one
 * alias per object.
 */
export class VectorSender {
	#sent: SharedArrayBuffer | undefined;
	#own = new SharedArrayBuffer(0);

	/**
	 * Returns the vector in shared memory: in place if it lies there, otherwise memory of the sender with any content,
	 * which the next call returns again.
	 */
	place(vector: Float32Array): { readonly shared: Float32Array<SharedArrayBuffer>; readonly isInPlace: boolean } {
		const inPlace = sharedViewOf(vector);
		if (inPlace) return { shared: inPlace, isInPlace: true };
		if (this.#own.byteLength < vector.byteLength) this.#own = new SharedArrayBuffer(vector.byteLength);
		return { shared: new Float32Array(this.#own, 0, vector.length), isInPlace: false };
	}

	/** Returns the message for a vector in shared memory. Each message must be sent, in order. */
	toMessage({ buffer, byteOffset, length }: Float32Array<SharedArrayBuffer>): SentVector {
		const memory = buffer === this.#sent ? undefined : buffer;
		this.#sent = buffer;
		return { memory, byteOffset, length };
	}
}

/** Receives the vectors of one sender. */
export class VectorReceiver {
	readonly #aliasOf: (memory: SharedArrayBuffer) => ArrayBuffer | undefined;
	#memory = new SharedArrayBuffer(0);
	#alias: ArrayBuffer | undefined;
	#copy = new Float32Array(0);

	/** @param alias default: `aliasOf`, if koffi can be loaded */
	constructor(alias = (memory: SharedArrayBuffer) => aliasOf(memory, koffi)) {
		this.#aliasOf = alias;
	}

	/** Returns the vector as an ordinary array; as an array in shared memory if it can't be accessed as one. */
	receive(sent: SentVector): Float32Array {
		if (sent.memory) {
			this.#memory = sent.memory;
			this.#alias = this.#aliasOf(sent.memory);
		}
		return new Float32Array(this.#alias ?? this.#memory, sent.byteOffset, sent.length);
	}

	/** Receives a vector and lets `write` fill it as an ordinary array. @returns the result of `write` */
	async fill<Result>(sent: SentVector, write: (vector: Float32Array) => Promise<Result>): Promise<Result> {
		const vector = this.receive(sent);
		if (vector.buffer instanceof ArrayBuffer) return write(vector);
		if (this.#copy.length < vector.length) this.#copy = new Float32Array(vector.length);
		const copy = this.#copy.subarray(0, vector.length);
		const result = await write(copy);
		vector.set(copy);
		return result;
	}
}
