import { createHash } from "node:crypto";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { TailSpec } from "../../shared/messages.ts";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import { type ParameterEntry, parameterLayout } from "../../shared/model/parameter-layout.ts";

/**
 * Returns the parameter vector at step 0, in the order of `parameterLayout`. Base tensors are read from the model. The
 * head is taken from rows of the model's head, or initialized as PyTorch's Linear. LoRA's A is random, B is zero.
 * @param seed each tensor has its own random stream, so a head starts with the same numbers whatever else is trained
 * @param headRows for each class its row in the model's head; unset: a new head
 */
export async function readInitialParameters(
	model: ModelFiles,
	spec: TailSpec,
	seed: number,
	headRows?: readonly number[],
): Promise<Float32Array> {
	const layout = parameterLayout(spec, model.config);
	const vector = new Float32Array(layout.size);
	for (const entry of layout.entries) {
		const values = vector.subarray(entry.offset, entry.offset + entry.size);
		if (entry.name.endsWith(".lora_A")) {
			// The bound of PyTorch's kaiming_uniform with a = sqrt(5), which the reference uses for A.
			fillUniform(values, 1 / Math.sqrt(spec.loraRank), entry, seed);
		} else if (isHead(entry) && !headRows) {
			fillUniform(values, 1 / Math.sqrt(model.config.n_embd), entry, seed);
		} else if (model.tensors.has(entry.name)) {
			const stored = await model.read(entry.name);
			values.set(isHead(entry) && headRows ? pickRows(stored, headRows, values.length / spec.classes) : stored);
		}
		// All others stay zero: LoRA's B, and the head's bias if the model's head has none.
	}
	return vector;
}

function pickRows(stored: Float32Array, rows: readonly number[], width: number): Float32Array {
	const picked = new Float32Array(rows.length * width);
	for (const [index, row] of rows.entries()) picked.set(stored.subarray(row * width, (row + 1) * width), index * width);
	return picked;
}

function isHead({ name }: ParameterEntry): boolean {
	return name === "score.weight" || name === "score.bias";
}

/** Fills a tensor with uniform random numbers in [-bound, bound). */
function fillUniform(values: Float32Array, bound: number, { name }: ParameterEntry, seed: number): void {
	const random = xoroshiro128plus(createHash("sha256").update(`${seed} ${name}`).digest().readInt32LE());
	for (let i = 0; i < values.length; i++) values[i] = (random.next() / 2 ** 31) * bound;
}
