import type { EngineInfo, Tail, TailInput } from "../engine.ts";
import { memoryOf } from "./calls.ts";
import type { EngineThread } from "./engine-thread.ts";
import { packInputs } from "./packed-inputs.ts";

/**
 * A tail that computes in the engine thread. Parameters and gradients are passed in shared memory; arrays in other
 * memory cost one more copy. (Moving 28 MB back and forth needs no copy, but makes both threads collect garbage in each
 * step: 15 ms and more.)
 */
export class ThreadTail implements Tail {
	readonly info: EngineInfo;
	readonly #thread: EngineThread;
	readonly #session: number;
	#parameters: Float32Array = new Float32Array(0);
	#gradient: Float32Array = new Float32Array(0);

	constructor(thread: EngineThread, session: number, info: EngineInfo) {
		this.#thread = thread;
		this.#session = session;
		this.info = info;
	}

	async load(parameters: Float32Array): Promise<void> {
		const shared = isShared(parameters) ? parameters : reuseOrAllocate(this.#parameters, parameters.length);
		if (shared !== parameters) {
			shared.set(parameters);
			this.#parameters = shared;
		}
		await this.#thread.call("load", [this.#session, shared]);
	}

	logits(inputs: readonly TailInput[]): Promise<Float32Array> {
		const packed = packInputs(inputs);
		return this.#thread.call("logits", [this.#session, packed], memoryOf([packed.hidden]));
	}

	async gradient(inputs: readonly TailInput[], gradient: Float32Array): Promise<Float32Array> {
		const packed = packInputs(inputs);
		const shared = isShared(gradient) ? gradient : reuseOrAllocate(this.#gradient, gradient.length);
		const logits = await this.#thread.call("gradient", [this.#session, packed, shared], memoryOf([packed.hidden]));
		if (shared !== gradient) {
			gradient.set(shared);
			this.#gradient = shared;
		}
		return logits;
	}

	dispose(): Promise<void> {
		return this.#thread.dispose("disposeTail", this.#session);
	}
}

function isShared({ buffer }: Float32Array): boolean {
	return buffer instanceof SharedArrayBuffer;
}

function reuseOrAllocate(before: Float32Array, length: number): Float32Array {
	return before.length === length ? before : new Float32Array(new SharedArrayBuffer(4 * length));
}
