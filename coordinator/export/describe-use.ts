import type { ClassifierSettings } from "../classify/classifier-settings.ts";
import { type ExportFormat, GRAPH_FILES, type Quantization } from "./export-formats.ts";

/** Describes in Markdown how programs load an exported folder. */
export function describeUse(
	format: ExportFormat,
	{ multiLabel }: ClassifierSettings,
	quantize: Quantization | undefined,
): string {
	const probabilities = multiLabel ? "sigmoid" : "softmax";
	if (format === "hf")
		return `    from transformers import pipeline

    classify = pipeline("text-classification", model="FOLDER", top_k=None)
    print(classify("a text"))

The ${probabilities} of the logits gives the probabilities.`;
	const file = GRAPH_FILES[quantize === undefined ? "fp32" : "q8"];
	const numbers =
		quantize === undefined
			? "Its numbers are float32."
			: "Its matrices and embeddings are in 8 bits; the results below are those in float32.";
	return `\`onnx/${file}\` is a graph (opset 18) for any ONNX runtime; its weights are in \`onnx/${file}_data\`. ${numbers}
Inputs: \`input_ids\` and \`attention_mask\`, int64 [batch, sequence], with padding on either side. Output: \`logits\`
[batch, labels]; their ${probabilities} gives the probabilities. With transformers.js:

    import { AutoModel, AutoTokenizer${multiLabel ? "" : ", softmax"} } from "@huggingface/transformers";

    const tokenizer = await AutoTokenizer.from_pretrained("FOLDER");
    const model = await AutoModel.from_pretrained("FOLDER");
    const { logits } = await model(await tokenizer(["a text"], { padding: true }));
    console.log(${multiLabel ? "logits.sigmoid().tolist()" : "logits.tolist().map(softmax)"}, model.config.id2label);`;
}
