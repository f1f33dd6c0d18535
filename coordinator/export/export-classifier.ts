import { join } from "node:path";
import { TailtuneError } from "../../shared/errors.ts";
import { writeJson } from "../../shared/files/write-atomic.ts";
import type { TailSpec } from "../../shared/messages.ts";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import { baseShapes } from "../../shared/model/parameter-layout.ts";
import { writeSafetensors } from "../../shared/model/safetensors.ts";
import { allocateChunkBuffers, readTensorChunks } from "../../shared/model/tensor-chunks.ts";
import { activationOf } from "../../shared/model/variant.ts";
import { writeFolderAtomic } from "../../shared/model/write-folder.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { writeTokenizer } from "../tokenizer/write-tokenizer.ts";
import { foldBias } from "./fold-bias.ts";
import { mergeTail } from "./merge-tail.ts";

export interface ClassifierExport {
	readonly model: ModelFiles;
	readonly spec: TailSpec;
	/** The whole vector, in the order of `parameterLayout`. */
	readonly parameters: Float32Array;
	/** One name per class, in the order of the logits. */
	readonly labels: readonly string[];
	/** Divides the logits: the head's weights and bias are divided by it. Default: 1. */
	readonly temperature?: number;
	/** Folder to write; an existing one is replaced. */
	readonly folder: string;
	/** The run's tokenizer, which is written too. Unset: the folder gets none, as for tests of weights. */
	readonly tokenizer?: Tokenizer;
	/** Maximum number of tokens in the tokenizer's settings; default: the model's context. */
	readonly maxTokens?: number;
	/**
	 * Content of `tailtune.json`: settings that a Hugging Face configuration can't express (token, padding, attention).
	 */
	readonly extra?: Readonly<Record<string, unknown>>;
}

/**
 * Writes a model folder that gives the same logits in transformers' GPT2ForSequenceClassification and with `openModel`.
 * They are divided by the temperature already, so every program that takes their softmax gets calibrated probabilities.
 * That class has no bias in its head, so the bias is moved into the final norm. Numbers are float32, whatever the type
 * of the base model.
 * @throws TailtuneError "disk" if it can't be written, "model" if the head's bias can't be folded
 */
export async function exportClassifier(request: ClassifierExport): Promise<void> {
	const { model, spec, parameters, folder, temperature = 1, tokenizer, extra } = request;
	const { maxTokens = model.config.n_positions } = request;
	const { config } = model;
	if (spec.classes > config.n_embd) {
		const found = `found ${spec.classes} classes, expected at most ${config.n_embd}, the model's width`;
		throw new TailtuneError("model", `${folder}: ${found} (needed to fold the head's bias)`);
	}
	const { read, unchanged } = mergeTail(model, spec, parameters);
	const divided = async (name: string) => (await read(name)).map((value) => value / temperature);
	const score = await divided("score.weight");
	const shift = foldBias(score, await divided("score.bias"));
	const buffers = allocateChunkBuffers();
	const base = baseShapes(config).map(([name, shape]) => ({
		name: `transformer.${name}`,
		shape,
		data: async () => {
			const stored = name === "ln_f.bias" ? undefined : unchanged(name);
			if (stored?.type === "F32") return readTensorChunks(stored, buffers);
			const values = await read(name);
			return name === "ln_f.bias" ? values.map((value, i) => value + (shift[i] as number)) : values;
		},
	}));
	const head = { name: "score.weight", shape: [spec.classes, config.n_embd], data: score };
	await writeFolderAtomic(folder, async (temporary) => {
		await writeJson(join(temporary, "config.json"), classifierConfig(request, spec.loss?.multiLabel ?? false));
		if (extra) await writeJson(join(temporary, "tailtune.json"), extra);
		if (tokenizer) await writeTokenizer(temporary, tokenizer, maxTokens);
		// Older versions of transformers refuse a file that doesn't name its framework.
		await writeSafetensors(join(temporary, "model.safetensors"), [...base, head], { format: "pt" });
	});
}

/** Builds a `config.json` for transformers. */
function classifierConfig({ model, labels, tokenizer }: ClassifierExport, multiLabel: boolean) {
	const { config } = model;
	const padId = tokenizer?.padId ?? config.vocab_size - 1;
	return {
		architectures: ["GPT2ForSequenceClassification"],
		model_type: "gpt2",
		...config,
		n_ctx: config.n_positions,
		activation_function: activationOf(config),
		bos_token_id: tokenizer?.idOf("bos") ?? padId,
		eos_token_id: tokenizer?.idOf("eos") ?? padId,
		pad_token_id: padId,
		num_labels: labels.length,
		id2label: Object.fromEntries(labels.map((label, index) => [index, label])),
		label2id: Object.fromEntries(labels.map((label, index) => [label, index])),
		problem_type: multiLabel ? "multi_label_classification" : "single_label_classification",
		torch_dtype: "float32",
	};
}
