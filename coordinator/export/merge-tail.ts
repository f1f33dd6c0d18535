import type { TailSpec } from "../../shared/messages.ts";
import type { ModelFiles, StoredTensor } from "../../shared/model/model-files.ts";
import { parameterLayout, parameterViews } from "../../shared/model/parameter-layout.ts";

/** A tuned model as plain tensors, with the names of the base model and the head. */
export interface MergedModel {
	/** Reads a tensor into newly allocated memory. */
	read(name: string): Promise<Float32Array>;
	/** Returns the base model's tensor if tuning didn't change it. */
	unchanged(name: string): StoredTensor | undefined;
}

/** Merges base and tail: trained tensors replace those of the base, LoRA pairs are added to their weights. */
export function mergeTail(model: ModelFiles, spec: TailSpec, parameters: Float32Array): MergedModel {
	const tail = parameterViews(parameterLayout(spec, model.config), parameters);
	const touched = new Set([...tail.keys()].map((name) => name.replace(/(\.[qkv])?\.lora_[AB]$/, ".weight")));
	const read = async (name: string) => {
		const values = tail.get(name)?.slice() ?? (await model.read(name));
		const layer = name.replace(/\.weight$/, "");
		if (layer === name) return values;
		const { n_embd: width } = model.config;
		// Query, key and value have separate LoRA pairs, but are stored side by side in one weight.
		const parts = layer.endsWith("c_attn") ? ["q", "k", "v"].map((part) => `${layer}.${part}`) : [layer];
		for (const [index, part] of parts.entries()) {
			const a = tail.get(`${part}.lora_A`);
			const b = tail.get(`${part}.lora_B`);
			if (!a || !b) continue;
			const outputs = b.length / spec.loraRank;
			// Only the head is stored as [out, in].
			const stride = layer === "score" ? { row: 1, column: width } : { row: parts.length * outputs, column: 1 };
			addProduct(values.subarray(index * outputs), stride, a, b, spec.loraRank, spec.loraScale);
		}
		return values;
	};
	return { read, unchanged: (name) => (touched.has(name) ? undefined : model.tensors.get(name)) };
}

/**
 * Adds scale A B to weight, with A [in, rank] and B [rank, out].
 * @param stride distances in `weight` between neighbouring inputs (row) and outputs (column)
 */
function addProduct(
	weight: Float32Array,
	stride: { readonly row: number; readonly column: number },
	a: Float32Array,
	b: Float32Array,
	rank: number,
	scale: number,
): void {
	const outputs = b.length / rank;
	const sums = new Float64Array(outputs);
	for (let input = 0; input < a.length / rank; input++) {
		sums.fill(0);
		for (let r = 0; r < rank; r++) {
			const factor = scale * (a[input * rank + r] as number);
			for (let output = 0; output < outputs; output++) {
				sums[output] = (sums[output] as number) + factor * (b[r * outputs + output] as number);
			}
		}
		for (let output = 0; output < outputs; output++) {
			const place = input * stride.row + output * stride.column;
			weight[place] = (weight[place] as number) + (sums[output] as number);
		}
	}
}
