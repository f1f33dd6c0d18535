import type { Gpt2Config } from "../model/gpt2-config.ts";
import type { StoredTensor, StoredType } from "../model/model-files.ts";
import type { Padding } from "../sequences/effective-sequence.ts";
import type { LongTexts } from "../settings/config.ts";

/** How a tuned model reads a text: at most `maxTokens` tokens, then padded. */
export interface TextReading extends Padding {
	readonly maxTokens: number;
	/** The graph cuts longer texts if this is "cut". Otherwise it refuses them: its caller has to divide them. */
	readonly long: LongTexts;
}

/** A weight of a graph. U8: whole numbers with 128 added; the tensor `scaleName` has their scales. */
export interface OnnxTensor extends Omit<StoredTensor, "type"> {
	readonly type: StoredType | "U8";
}

/** The weights of a graph, in a file next to it. */
export interface OnnxWeights {
	/** The folder of the graph and the file. */
	readonly folder: string;
	readonly config: Gpt2Config;
	/** All tensors of a tuned model, with the names of `ModelFiles`, and scales. */
	readonly tensors: ReadonlyMap<string, OnnxTensor>;
}

/**
 * Returns the name of the scales of a quantized tensor: one per token or position of an embedding [rows, 1], one per
 * output of a layer [out].
 */
export function scaleName(name: string): string {
	return `${name}.scale`;
}

/**
 * The ONNX graph of a tuned model: `input_ids` and `attention_mask` int64 [batch, sequence] to `logits` [batch,
 * classes].
 */
export type BuildOnnxClassifier = (weights: OnnxWeights, reading: TextReading) => Promise<Uint8Array>;
