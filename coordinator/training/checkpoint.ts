import { join } from "node:path";
import { z } from "zod";
import { TailtuneError } from "../../shared/errors.ts";
import { pathExists } from "../../shared/files/regular-file.ts";
import type { TailSpec } from "../../shared/messages.ts";
import { readChecked, writeChecked } from "../../shared/model/checked-safetensors.ts";
import type { Gpt2Config } from "../../shared/model/gpt2-config.ts";
import { parameterLayout } from "../../shared/model/parameter-layout.ts";
import type { SafetensorsFile } from "../../shared/model/safetensors.ts";
import type { RunConfig } from "../../shared/settings/config.ts";
import { type GradientForm, gradientForm } from "../../shared/updates/gradient-form.ts";
import { type StateVectors, UpdatableState } from "../../shared/updates/updatable-state.ts";
import { allFinite } from "../../shared/vectors/all-finite.ts";
import { countFactorTexts } from "../plan/count-factor-texts.ts";
import type { AuditLine } from "../run-folder/audit.ts";
import { scoreFields } from "../run-folder/result.ts";
import { appendAudit } from "../run-folder/result-files.ts";
import { bestFile, CHECKPOINT_FILE } from "../run-folder/run-folder.ts";

/** Arrays in which gradients of parts are received in the optimizer's memory. */
const RECEIVED = 2;

/** Advice if a file of an interrupted run can't be used. */
export const RECOVERY_HINT = "put back a copy of it, or start a new run";

const count = z.int().min(0);
const seconds = z.number().min(0);

const progressSchema = z.strictObject({
	/** Identifies model, tokenizer, data and settings of the run. A checkpoint can't be used with others. */
	fingerprint: z.string(),
	/** Finished optimizer steps and epochs, and texts used in these steps. */
	step: count,
	epoch: count,
	examplesSeen: count,
	/** Lines of metrics.jsonl written before this checkpoint. */
	metricsLines: count,
	/** The epoch with the best validation score so far. */
	best: z.strictObject({ epoch: count, step: count, ...scoreFields }).optional(),
	/** Seconds spent by phase before this checkpoint. */
	seconds: z.strictObject({ load: seconds, features: seconds, training: seconds, evaluation: seconds }),
});

/** Progress of a run, without the trained numbers. */
export type TrainingProgress = z.infer<typeof progressSchema>;

/** Sizes and optional parts of a training state. */
export interface StateShape {
	/** Length of the parameter vector. */
	readonly size: number;
	readonly form: GradientForm;
	/** Texts per optimizer step if gradients have factors, otherwise 0. */
	readonly factorTexts: number;
	/** Whether the parameters of the best epoch are kept for the final model. */
	readonly withBest: boolean;
}

/** Returns the sizes of a run's state, and the optional parts that its settings need. */
export function stateShapeOf(config: RunConfig, tail: TailSpec, model: Gpt2Config): StateShape {
	const factorTexts = countFactorTexts(config);
	const form = gradientForm(tail, model, factorTexts);
	return { size: parameterLayout(tail, model).size, form, factorTexts, withBest: config.keep === "best" };
}

/** State needed to continue training. */
export interface TrainingState extends StateVectors {
	progress: TrainingProgress;
	/** Has the same vectors, and applies updates to them. */
	readonly updatable: UpdatableState;
	/** Parameters of `progress.best`. Unset: there are none yet, or the shape has no `withBest`. */
	best?: Float32Array;
}

/** Creates the state before the first step with a copy of the parameters. */
export function createTrainingState(fingerprint: string, parameters: Float32Array, shape: StateShape): TrainingState {
	const spent = { load: 0, features: 0, training: 0, evaluation: 0 };
	const vectors = allocateState(shape);
	vectors.parameters.set(parameters);
	return { progress: { fingerprint, step: 0, epoch: 0, examplesSeen: 0, metricsLines: 0, seconds: spent }, ...vectors };
}

/**
 * Writes the state to the run folder. The previous checkpoint is kept until this one is complete.
 * @param audit lines of the steps since the previous checkpoint; they are written first
 * @param onTaken called when the state may change again; it must not change earlier
 * @throws TailtuneError "diverged" if the parameters aren't finite (then nothing is written); "disk"
 */
export async function writeCheckpoint(
	folder: string,
	state: TrainingState,
	audit: readonly AuditLine[],
	onTaken?: () => void,
): Promise<void> {
	const { parameters, firstMoment, secondMoment, progress } = state;
	assertFinite(parameters, progress.step);
	await appendAudit(folder, audit);
	const vectors = { parameters, firstMoment, secondMoment };
	const metadata = { progress: JSON.stringify(progress) };
	await writeChecked(join(folder, CHECKPOINT_FILE), vectors, metadata, onTaken);
}

/**
 * Writes the parameters of the best epoch, which ended with `step`. Called before the checkpoint that refers to them.
 */
export async function writeBest(folder: string, step: number, best: Float32Array): Promise<void> {
	await writeChecked(bestFile(folder, step), { best });
}

/**
 * Reads the state from the run folder. Returns undefined if the run has no checkpoint yet.
 * @throws TailtuneError that names the file: "checksum" if the checkpoint or the best epoch's file is damaged, "model"
 *   if it has another shape, "not-found" if the best epoch's file is missing; "data" if data, model, tokenizer
 *   or settings have changed
 */
export async function readCheckpoint(
	folder: string,
	fingerprint: string,
	shape: StateShape,
): Promise<TrainingState | undefined> {
	const path = join(folder, CHECKPOINT_FILE);
	if (!(await pathExists(path, "disk"))) return undefined;
	const checkpoint = await withRecoveryHint(readChecked(path));
	const progress = parseProgress(checkpoint.metadata.progress, path);
	if (progress.fingerprint !== fingerprint) {
		const changed = findChange(progress.fingerprint, fingerprint);
		throw new TailtuneError("data", `${folder}: ${changed} changed since this run began; start a new run`);
	}
	const vectors = allocateState(shape);
	for (const name of ["parameters", "firstMoment", "secondMoment"] as const)
		vectors[name].set(await readVector(checkpoint, name, vectors[name].length));
	if (!progress.best || !shape.withBest) return { progress, ...vectors };
	const best = await withRecoveryHint(readChecked(bestFile(folder, progress.best.step)));
	return { progress, ...vectors, best: await readVector(best, "best", shape.size) };
}

/** Names the first part in which two fingerprints differ. */
function findChange(before: string, now: string): string {
	const parts = before.split(" ");
	const index = now.split(" ").findIndex((part, i) => part !== parts[i]);
	return ["the model", "the model's tokenizer", "the data"][index] ?? "the settings";
}

function parseProgress(text: string | undefined, path: string): TrainingProgress {
	try {
		return progressSchema.parse(JSON.parse(text ?? ""));
	} catch (cause) {
		throw new TailtuneError("model", `${path}: found no progress of a run in it; ${RECOVERY_HINT}`, { cause });
	}
}

async function readVector(checked: SafetensorsFile, name: string, expected: number): Promise<Float32Array> {
	const numbers = await withRecoveryHint(checked.read(name));
	if (numbers.length === expected) return numbers;
	const found = `found ${numbers.length} numbers, expected ${expected}`;
	throw new TailtuneError("model", `${checked.file}: "${name}": ${found}; ${RECOVERY_HINT}`);
}

/** Adds advice to the error of reading a file of this run. */
async function withRecoveryHint<T>(reading: Promise<T>): Promise<T> {
	return reading.catch((cause: unknown) => {
		if (!(cause instanceof TailtuneError)) throw cause;
		throw new TailtuneError(cause.code, `${cause.message}; ${RECOVERY_HINT}`, { cause });
	});
}

function allocateState({ form, size, factorTexts }: StateShape) {
	const updatable = new UpdatableState(form, size, factorTexts, RECEIVED);
	const { parameters, firstMoment, secondMoment } = updatable;
	return { parameters, firstMoment, secondMoment, updatable };
}

// A step can overflow although its loss was finite. Non-finite numbers must not replace a good checkpoint.
function assertFinite(parameters: Float32Array, step: number): void {
	if (allFinite(parameters)) return;
	throw new TailtuneError(
		"diverged",
		`step ${step}: the parameters aren't finite: training diverged; try a smaller --lr`,
	);
}
