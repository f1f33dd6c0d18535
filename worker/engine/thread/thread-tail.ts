import type { GradientForm } from "../../../shared/updates/gradient-form.ts";
import type { EngineInfo, Tail, TailInput } from "../engine.ts";
import { memoryOf } from "./calls.ts";
import type { EngineThread } from "./engine-thread.ts";
import { packInputs } from "./packed-inputs.ts";
import { VectorSender } from "./sent-vector.ts";

/**
 * A tail that computes in the engine thread, which reads parameters and writes gradients in shared memory. Vectors of
 * `allocateVectors` aren't copied; others are copied once. (Moving 28 MB back and forth needs no copy, but makes both
 * threads collect garbage in each step: 15 ms and more.)
 */
export class ThreadTail implements Tail {
	readonly info: EngineInfo;
	readonly #thread: EngineThread;
	readonly #session: number;
	readonly #parameters = new VectorSender();
	readonly #gradients = new VectorSender();

	constructor(thread: EngineThread, session: number, info: EngineInfo) {
		this.#thread = thread;
		this.#session = session;
		this.info = info;
	}

	async load(parameters: Float32Array): Promise<void> {
		const { shared, isInPlace } = this.#parameters.place(parameters);
		if (!isInPlace) shared.set(parameters);
		await this.#thread.call("load", [this.#session, this.#parameters.toMessage(shared)]);
	}

	logits(inputs: readonly TailInput[]): Promise<Float32Array> {
		const packed = packInputs(inputs);
		return this.#thread.call("logits", [this.#session, packed], memoryOf([packed.hidden]));
	}

	async gradient(inputs: readonly TailInput[], form: GradientForm, gradient: Float32Array): Promise<Float32Array> {
		const packed = packInputs(inputs);
		const { shared, isInPlace } = this.#gradients.place(gradient);
		const target = this.#gradients.toMessage(shared);
		const args = [this.#session, packed, form, target] as const;
		const logits = await this.#thread.call("gradient", [...args], memoryOf([packed.hidden]));
		if (!isInPlace) gradient.set(shared);
		return logits;
	}

	dispose(): Promise<void> {
		return this.#thread.dispose("disposeTail", this.#session);
	}
}
