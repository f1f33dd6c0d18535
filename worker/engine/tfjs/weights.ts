import * as tf from "@tensorflow/tfjs";
import type { ModelFiles } from "../../../shared/model/model-files.ts";
import type { TfjsBackend } from "./backend.ts";
import { readSlot, type Slot, slotsOf } from "./slots.ts";

/** Tensors by name. */
export type Tensors = Map<string, tf.Tensor>;

/**
 * Reads tensors of the model's files, by their names from `slotsOf`. The caller must dispose of them with `disposeAll`.
 */
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

/** Makes the tensor of a slot. It may be a view of the vector, which must not change while the tensor is used. */
export function toTensor(slot: Slot, vector: Float32Array): tf.Tensor {
	return tf.keep(tf.tensor(readSlot(slot, vector), [...slot.shape], "float32"));
}

/** Disposes of all tensors and clears the map. */
export function disposeAll(tensors: Tensors): void {
	tf.dispose([...tensors.values()]);
	tensors.clear();
}
