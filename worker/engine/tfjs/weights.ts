import * as tf from "@tensorflow/tfjs";
import type { ModelFiles } from "../../../shared/model/model-files.ts";
import type { TfjsBackend } from "./backend.ts";
import { readSlot, type Slot, slotsOf } from "./slots.ts";

export type Tensors = Map<string, tf.Tensor>;

/** Tensors of the model's own numbers, by the names that `slotsOf` gives. Theirs who asked: `disposeAll`. */
export async function readFrozen(backend: TfjsBackend, model: ModelFiles, names: readonly string[]): Promise<Tensors> {
	const tensors: Tensors = new Map();
	for (const name of names) {
		const numbers = await model.read(name);
		const slots = slotsOf({ name, shape: model.tensors.get(name)?.shape ?? [numbers.length], offset: 0 });
		await backend.run(() => {
			for (const slot of slots) tensors.set(slot.name, toTensor(slot, numbers));
		});
	}
	return tensors;
}

/** The tensor of a slot. Its numbers may be a view of the vector, which must not change while the tensor lives. */
export function toTensor(slot: Slot, vector: Float32Array): tf.Tensor {
	return tf.keep(tf.tensor(readSlot(slot, vector), [...slot.shape], "float32"));
}

/** Disposes of all tensors and forgets them. */
export function disposeAll(tensors: Tensors): void {
	tf.dispose([...tensors.values()]);
	tensors.clear();
}
