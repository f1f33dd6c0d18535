import type { TailSpec } from "../../shared/messages.ts";
import type { ModelFiles, StoredTensor } from "../../shared/model/model-files.ts";
import { parameterLayout, parameterViews } from "../../shared/model/parameter-layout.ts";

/** A tuned model as plain tensors, by base names and the head's. */
export interface MergedModel {
	/** A tensor, read when it is asked for, in memory of its own. */
	read(name: string): Promise<Float32Array>;
	/** The base's tensor where tuning left it as it is. */
	unchanged(name: string): StoredTensor | undefined;
}

/** Base and tail as one model: trained tensors in place of the base's, LoRA pairs added to the weights that they belong to. */
export function mergeTail(model: ModelFiles, spec: TailSpec, parameters: Float32Array): MergedModel {
	const tail = parameterViews(parameterLayout(spec, model.config), parameters);
	const touched = new Set([...tail.keys()].map((name) => name.replace(/(\.[qkv])?\.lora_[AB]$/, ".weight")));
	const read = async (name: string) => {
		const values = tail.get(name)?.slice() ?? (await model.read(name));
		const layer = name.replace(/\.weight$/, "");
		if (layer === name) return values;
		const { n_embd: width } = model.config;
		// Query, key and value have pairs of their own, and lie side by side in one weight.
		const parts = layer.endsWith("c_attn") ? ["q", "k", "v"].map((part) => `${layer}.${part}`) : [layer];
		for (const [index, part] of parts.entries()) {
			const a = tail.get(`${part}.lora_A`);
			const b = tail.get(`${part}.lora_B`);
			if (!a || !b) continue;
			const outputs = b.length / spec.loraRank;
			// The head alone is stored [out, in].
			const place = layer === "score" ? { row: 1, column: width } : { row: parts.length * outputs, column: 1 };
			addProduct(values.subarray(index * outputs), place, a, b, spec.loraRank, spec.loraScale);
		}
		return values;
	};
	return { read, unchanged: (name) => (touched.has(name) ? undefined : model.tensors.get(name)) };
}

/** weight += scale A B, with A [in, rank] and B [rank, out]; `stride` says how far apart inputs and outputs lie in weight. */
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
