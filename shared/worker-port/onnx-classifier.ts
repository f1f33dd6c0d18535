import type { ModelFiles } from "../model/model-files.ts";
import type { Padding } from "../sequences/effective-sequence.ts";
import type { LongTexts } from "../settings/config.ts";

/** How a tuned model reads a text: at most `maxTokens` tokens, then padded. */
export interface TextReading extends Padding {
	readonly maxTokens: number;
	/** The graph cuts longer texts if this is "cut". Otherwise it refuses them: its caller has to divide them. */
	readonly long: LongTexts;
}

/**
 * The ONNX graph of a tuned model: `input_ids` and `attention_mask` int64 [batch, sequence] to `logits` [batch,
 * classes]. Its weights are the model's files, which must be in the graph's folder.
 */
export type BuildOnnxClassifier = (model: ModelFiles, reading: TextReading) => Promise<Uint8Array>;
