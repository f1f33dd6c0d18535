import type { EngineInfo, Tail, TailInput } from "../engine.ts";
import { memoryOf } from "./calls.ts";
import type { EngineThread } from "./engine-thread.ts";
import { packInputs } from "./packed-inputs.ts";

/**
 * A tail that computes in the engine thread. The parameters and the gradient cross in shared memory: into and out of arrays
 * that aren't shared takes one copy more. (Moving 28 MB to and fro takes no copy, but has both threads collect garbage
 * at each step: 15 ms and more.)
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
		const shared = isShared(parameters) ? parameters : sharedOf(this.#parameters, parameters.length);
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
		const shared = isShared(gradient) ? gradient : sharedOf(this.#gradient, gradient.length);
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

function sharedOf(before: Float32Array, length: number): Float32Array {
	return before.length === length ? before : new Float32Array(new SharedArrayBuffer(4 * length));
}
