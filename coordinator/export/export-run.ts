import { cp, readdir } from "node:fs/promises";
import { join } from "node:path";
import { systemCodeOf, TailtuneError } from "../../shared/errors.ts";
import { readJson } from "../../shared/files/json-file.ts";
import { asDiskError, writeFileAtomic, writeJson } from "../../shared/files/write-atomic.ts";
import { WEIGHTS_FILE } from "../../shared/model/open-model.ts";
import { baseShapes } from "../../shared/model/parameter-layout.ts";
import { writeSafetensors } from "../../shared/model/safetensors.ts";
import { writeFolderAtomic } from "../../shared/model/write-folder.ts";
import type { BuildOnnxClassifier } from "../../shared/worker-port/onnx-classifier.ts";
import { type ClassifierSettings, SETTINGS_FILE } from "../classify/classifier-settings.ts";
import { openTunedModel, type TunedModel } from "../classify/tuned-model.ts";
import { readRunResult } from "../run-folder/result-files.ts";
import { readRunConfig } from "../run-folder/run-folder.ts";
import { describeUse } from "./describe-use.ts";
import type { ExportFormat, Quantization } from "./export-formats.ts";
import { type DescribedRun, formatModelCard } from "./model-card.ts";
import { writeOnnx } from "./write-onnx.ts";

const CONFIG_FILE = "config.json";

export interface ExportRequest {
	/** Folder of a finished run. */
	readonly run: string;
	readonly format: ExportFormat;
	/** Type of the numbers of the large matrices in the ONNX graph; default: float32. */
	readonly quantize?: Quantization | undefined;
	/** Folder to write: a new or an empty one. */
	readonly out: string;
	readonly buildOnnxClassifier: BuildOnnxClassifier;
}

/**
 * Writes a run's tuned model for other programs. The folder is written under a temporary name and then renamed, so it
 * is never incomplete. `tailtune.json` has the labels and describes how to prepare texts.
 * @throws TailtuneError "usage" if the folder isn't empty, or the format can't express how the model reads texts;
 *   "not-found" if there is no finished run; "model" or "disk"
 */
export async function exportRun(request: ExportRequest): Promise<void> {
	const { run, format, out, quantize } = request;
	if (quantize !== undefined && format !== "onnx")
		throw new TailtuneError("usage", `--quantize ${quantize}: found --format ${format}, expected onnx`);
	const tuned = await openTunedModel(join(run, "model"));
	await refuseFilledFolder(out);
	switch (format) {
		case "hf":
			refuseUnlessReadAsTransformers(tuned.settings);
			return writeForHub(request, tuned, (temporary) => cp(join(run, "model"), temporary, { recursive: true }));
		case "onnx":
			return writeForHub(request, tuned, (temporary) => writeOnnxFolder(request, tuned, temporary));
		case "safetensors":
			return writeFolderAtomic(out, (temporary) => writeOneFile(tuned, temporary));
	}
}

async function refuseFilledFolder(out: string): Promise<void> {
	const names = await readdir(out).catch((cause: unknown) => {
		if (systemCodeOf(cause) === "ENOENT") return [];
		if (systemCodeOf(cause) !== "ENOTDIR") throw asDiskError(`--out ${out}`, cause);
		throw new TailtuneError("usage", `--out ${out}: found a file, expected a new or empty folder`, { cause });
	});
	if (names[0] === undefined) return;
	throw new TailtuneError("usage", `--out ${out}: the folder holds ${names[0]} already; expected a new or empty one`);
}

// GPT2ForSequenceClassification supports only this: the last token that isn't a pad, with causal attention.
function refuseUnlessReadAsTransformers({ token, causal, padTo }: ClassifierSettings): void {
	if (causal && (token === "last-real" || (token === "last" && padTo === null))) return;
	const found = `this model reads ${token}${padTo === null ? "" : ` of ${padTo} padded tokens`}`;
	throw new TailtuneError(
		"usage",
		`--format hf: ${found}${causal ? "" : " with full attention"}, but transformers reads the last real token with causal attention; use --format onnx`,
	);
}

/** Writes a folder in the layout of a repository on the hub, with a model card. */
async function writeForHub(
	{ run, format, quantize, out }: ExportRequest,
	{ settings }: TunedModel,
	fill: (temporary: string) => Promise<void>,
): Promise<void> {
	const described: DescribedRun = { config: await readRunConfig(run), result: await readRunResult(run), settings };
	const card = formatModelCard(described, describeUse(format, settings, quantize));
	await writeFolderAtomic(out, async (temporary) => {
		await fill(temporary);
		await writeFileAtomic(join(temporary, "README.md"), card);
	});
}

/** Writes the graph, and the files of the run's model except its weights. */
async function writeOnnxFolder(
	{ run, quantize, buildOnnxClassifier }: ExportRequest,
	tuned: TunedModel,
	folder: string,
): Promise<void> {
	const model = join(run, "model");
	for (const name of await readdir(model))
		if (name !== CONFIG_FILE && !name.endsWith(".safetensors")) await cp(join(model, name), join(folder, name));
	const forJavaScript = await writeOnnx(tuned, folder, buildOnnxClassifier, quantize !== undefined);
	const config = (await readJson(join(model, CONFIG_FILE))) as object;
	await writeJson(join(folder, CONFIG_FILE), { ...config, "transformers.js_config": forJavaScript });
}

/** Writes one file of weights, with the tensor names of the published GPT-2, and one with its shape and settings. */
async function writeOneFile({ model, settings }: TunedModel, folder: string): Promise<void> {
	const head = ["score.weight", [settings.labels.length, model.config.n_embd]] as const;
	const tensors = [...baseShapes(model.config), head].map(([name, shape]) => ({
		name,
		shape,
		data: () => model.read(name),
	}));
	await writeSafetensors(join(folder, WEIGHTS_FILE), tensors, { format: "pt" });
	await writeJson(join(folder, SETTINGS_FILE), { ...settings, shape: { model_type: "gpt2", ...model.config } });
}
