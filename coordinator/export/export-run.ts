import { cp, readdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { systemCodeOf, TailtuneError } from "../../shared/errors.ts";
import { asDiskError, writeJson } from "../../shared/files/write-atomic.ts";
import { WEIGHTS_FILE } from "../../shared/model/open-model.ts";
import { baseShapes } from "../../shared/model/parameter-layout.ts";
import { writeSafetensors } from "../../shared/model/safetensors.ts";
import { writeFolderAtomic } from "../../shared/model/write-folder.ts";
import type { BuildOnnxClassifier } from "../../shared/worker-port.ts";
import { type ClassifierSettings, SETTINGS_FILE } from "../classify/classifier-settings.ts";
import { openTunedModel, type TunedModel } from "../classify/tuned-model.ts";

/** The forms in which a tuned model leaves Tailtune. */
export const EXPORT_FORMATS = ["hf", "onnx", "safetensors"] as const;

export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface ExportRequest {
	/** Folder of a finished run. */
	readonly run: string;
	readonly format: ExportFormat;
	/** Folder to write: a new or an empty one. */
	readonly out: string;
	readonly buildOnnxClassifier: BuildOnnxClassifier;
}

/**
 * Writes a run's tuned model for other programs: written aside, so that the folder is there whole or not at all.
 * `tailtune.json` beside the weights says how texts must be prepared, and names the labels.
 * @throws TailtuneError "usage" where the folder holds something, or the format has no words for how the model reads
 *   texts; "not-found" where there is no finished run; "model" or "disk"
 */
export async function exportRun({ run, format, out, buildOnnxClassifier }: ExportRequest): Promise<void> {
	const folder = join(run, "model");
	const tuned = await openTunedModel(folder);
	await refuseFilledFolder(out);
	switch (format) {
		case "hf":
			refuseUnlessReadAsTransformers(tuned.settings);
			return writeFolderAtomic(out, (aside) => cp(folder, aside, { recursive: true }));
		case "onnx":
			return writeFolderAtomic(out, (aside) => writeOnnx(tuned, aside, buildOnnxClassifier));
		case "safetensors":
			return writeFolderAtomic(out, (aside) => writeOneFile(tuned, aside));
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

// GPT2ForSequenceClassification reads the last token that is no pad, under causal attention, and nothing else.
function refuseUnlessReadAsTransformers({ token, causal, padTo }: ClassifierSettings): void {
	if (causal && (token === "last-real" || (token === "last" && padTo === null))) return;
	const found = `this model reads ${token}${padTo === null ? "" : ` of ${padTo} padded tokens`}`;
	throw new TailtuneError(
		"usage",
		`--format hf: ${found}${causal ? "" : " under full attention"}, transformers the last real token under causal attention; expected --format onnx`,
	);
}

/** The graph, with the run's weights beside it as its external data. */
async function writeOnnx({ model, settings }: TunedModel, aside: string, build: BuildOnnxClassifier): Promise<void> {
	const { padTo, ...reading } = settings;
	await writeFile(join(aside, "model.onnx"), await build(model, { ...reading, padTo: padTo ?? undefined }));
	const files = new Set([...model.tensors.values()].map(({ file }) => file));
	for (const file of files) await cp(file, join(aside, basename(file)));
	await writeJson(join(aside, SETTINGS_FILE), settings);
}

/** One file of plain names, as GPT-2 itself is published, and one that says what shape it has and how it reads. */
async function writeOneFile({ model, settings }: TunedModel, aside: string): Promise<void> {
	const head = ["score.weight", [settings.labels.length, model.config.n_embd]] as const;
	const tensors = [...baseShapes(model.config), head].map(([name, shape]) => ({
		name,
		shape,
		data: () => model.read(name),
	}));
	await writeSafetensors(join(aside, WEIGHTS_FILE), tensors, { format: "pt" });
	await writeJson(join(aside, SETTINGS_FILE), { ...settings, shape: { model_type: "gpt2", ...model.config } });
}
