import { cp, readdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { systemCodeOf, TailtuneError } from "../../shared/errors.ts";
import { asDiskError, writeJson } from "../../shared/files/write-atomic.ts";
import { WEIGHTS_FILE } from "../../shared/model/open-model.ts";
import { baseShapes } from "../../shared/model/parameter-layout.ts";
import { writeSafetensors } from "../../shared/model/safetensors.ts";
import { writeFolderAtomic } from "../../shared/model/write-folder.ts";
import type { BuildOnnxClassifier } from "../../shared/worker-port/onnx-classifier.ts";
import { type ClassifierSettings, SETTINGS_FILE } from "../classify/classifier-settings.ts";
import { openTunedModel, type TunedModel } from "../classify/tuned-model.ts";
import type { ExportFormat } from "./export-formats.ts";

export interface ExportRequest {
	/** Folder of a finished run. */
	readonly run: string;
	readonly format: ExportFormat;
	/** Folder to write: a new or an empty one. */
	readonly out: string;
	readonly buildOnnxClassifier: BuildOnnxClassifier;
}

/**
 * Writes a run's tuned model for other programs. The folder is written under a temporary name and then renamed, so it
 * is never incomplete. `tailtune.json`, next to the weights, has the labels and describes how to prepare texts.
 * @throws TailtuneError "usage" if the folder isn't empty, or the format can't express how the model reads texts;
 *   "not-found" if there is no finished run; "model" or "disk"
 */
export async function exportRun({ run, format, out, buildOnnxClassifier }: ExportRequest): Promise<void> {
	const folder = join(run, "model");
	const tuned = await openTunedModel(folder);
	await refuseFilledFolder(out);
	switch (format) {
		case "hf":
			refuseUnlessReadAsTransformers(tuned.settings);
			return writeFolderAtomic(out, (temporary) => cp(folder, temporary, { recursive: true }));
		case "onnx":
			return writeFolderAtomic(out, (temporary) => writeOnnx(tuned, temporary, buildOnnxClassifier));
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

/** Writes the graph, and the run's weights next to it as its external data. */
async function writeOnnx({ model, settings }: TunedModel, folder: string, build: BuildOnnxClassifier): Promise<void> {
	const { padTo, ...reading } = settings;
	await writeFile(join(folder, "model.onnx"), await build(model, { ...reading, padTo: padTo ?? undefined }));
	const files = new Set([...model.tensors.values()].map(({ file }) => file));
	for (const file of files) await cp(file, join(folder, basename(file)));
	await writeJson(join(folder, SETTINGS_FILE), settings);
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
