import type { ModelFiles } from "../model/model-files.ts";
import type { Padding } from "../sequences/effective-sequence.ts";

/** How a tuned model reads a text: cut to `maxTokens`, then padded. */
export interface TextReading extends Padding {
	readonly maxTokens: number;
	/** Longer texts are cut to `maxTokens`; false: they are refused. */
	readonly truncate: boolean;
}

/**
 * The ONNX graph of a tuned model: `input_ids` and `attention_mask` int64 [batch, sequence] to `logits` [batch,
 * classes]. Its weights are the model's files, which must be in the graph's folder.
 */
export type BuildOnnxClassifier = (model: ModelFiles, reading: TextReading) => Promise<Uint8Array>;
