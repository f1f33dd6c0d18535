import { join } from "node:path";
import { z } from "zod";
import { TailtuneError } from "../../shared/errors.ts";
import { pathExists } from "../../shared/files/regular-file.ts";
import { readChecked, writeChecked } from "../../shared/model/checked-safetensors.ts";
import type { SafetensorsFile } from "../../shared/model/safetensors.ts";
import { allFinite } from "../../shared/vectors/all-finite.ts";
import { allocateVectors } from "../../shared/vectors/allocate-vectors.ts";
import type { AuditLine } from "../run-folder/audit.ts";
import { appendAudit } from "../run-folder/result-files.ts";
import { bestFile, CHECKPOINT_FILE } from "../run-folder/run-folder.ts";

/** What to do if a file of an interrupted run can't be used. */
export const WAY_OUT = "put back a copy of it, or start a new run";

const count = z.int().min(0);
const seconds = z.number().min(0);

const progressSchema = z.strictObject({
	/** What the run was started on; a checkpoint goes on with nothing else. */
	fingerprint: z.string(),
	/** Optimizer steps done, epochs done, texts learned from. */
	step: count,
	epoch: count,
	examplesSeen: count,
	/** Lines of metrics.jsonl that are older than this checkpoint. */
	metricsLines: count,
	/** The epoch best on validation so far. */
	best: z.strictObject({ epoch: count, step: count, accuracy: z.number(), loss: z.number() }).optional(),
	/** Seconds spent by phase before this checkpoint. */
	seconds: z.strictObject({ load: seconds, features: seconds, training: seconds, evaluation: seconds }),
});

/** Where a run stands, but for the numbers that are trained. */
export type Progress = z.infer<typeof progressSchema>;

/** What there is of a state. */
export interface StateShape {
	/** Numbers of the parameter vector. */
	readonly size: number;
	/** Numbers that are trained: the first of the parameters. */
	readonly trainedSize: number;
	/** Whether workers get the moments too. */
	readonly withMoments: boolean;
	readonly withVelocity: boolean;
	/** Whether the best epoch's parameters are kept for the end. */
	readonly withBest: boolean;
}

/** All that training needs to go on. The vectors have the length of the parameter vector, the moments of its trained part. */
export interface TrainingState {
	progress: Progress;
	readonly parameters: Float32Array;
	readonly firstMoment: Float32Array;
	readonly secondMoment: Float32Array;
	/** What workers get: the parameters, or these with both moments behind them; the same memory. */
	readonly published: Float32Array;
	/** Of the outer step of local rounds; empty where it has no momentum. */
	readonly velocity: Float32Array;
	/** Room for the sum of a step's gradients and, twice, for one on its way: beside what it updates, for the optimizer's sake. */
	readonly gradients: { readonly sum: Float32Array; readonly received: readonly Float32Array[] };
	/** Parameters of `progress.best`; kept only where they are wanted at the end. */
	best?: Float32Array;
}

/** The state before the first step, on a copy of the parameters. */
export function newTrainingState(fingerprint: string, parameters: Float32Array, shape: StateShape): TrainingState {
	const spent = { load: 0, features: 0, training: 0, evaluation: 0 };
	const vectors = allocateState(shape);
	vectors.parameters.set(parameters);
	return { progress: { fingerprint, step: 0, epoch: 0, examplesSeen: 0, metricsLines: 0, seconds: spent }, ...vectors };
}

/**
 * Writes the state to the run folder; the checkpoint before it stays until this one is whole.
 * @param audit lines of the steps since the checkpoint before; they are there before this one is
 * @param onTaken called when the state may change again; before that it must not
 * @throws TailtuneError "diverged" where the parameters aren't finite: nothing is written then; "disk"
 */
export async function writeCheckpoint(
	folder: string,
	state: TrainingState,
	audit: readonly AuditLine[],
	onTaken?: () => void,
): Promise<void> {
	const { parameters, firstMoment, secondMoment, velocity, progress } = state;
	assertFinite(parameters, progress.step);
	await appendAudit(folder, audit);
	const vectors = { parameters, firstMoment, secondMoment, ...(velocity.length > 0 && { velocity }) };
	const metadata = { progress: JSON.stringify(progress) };
	await writeChecked(join(folder, CHECKPOINT_FILE), vectors, metadata, onTaken);
}

/** Writes the parameters of the best epoch, which ended with that step; before the checkpoint that names it. */
export async function writeBest(folder: string, step: number, best: Float32Array): Promise<void> {
	await writeChecked(bestFile(folder, step), { best });
}

/**
 * Reads the state back; undefined if the run has no checkpoint yet.
 * @throws TailtuneError that names the file: "checksum" if the checkpoint or the best epoch's file is damaged, "model" if it
 *   is of another shape, "not-found" if the best epoch's file is missing; "data" if the run was started on something else
 */
export async function readCheckpoint(
	folder: string,
	fingerprint: string,
	shape: StateShape,
): Promise<TrainingState | undefined> {
	const path = join(folder, CHECKPOINT_FILE);
	if (!(await pathExists(path, "disk"))) return undefined;
	const checkpoint = await saved(readChecked(path));
	const progress = parseProgress(checkpoint.metadata.progress, path);
	if (progress.fingerprint !== fingerprint) {
		throw new TailtuneError(
			"data",
			`${folder}: the data, the model or the settings changed since this run began; start a new run`,
		);
	}
	const vectors = allocateState(shape);
	for (const name of ["parameters", "firstMoment", "secondMoment", "velocity"] as const) {
		const { length } = vectors[name];
		if (length > 0) vectors[name].set(await readVector(checkpoint, name, length));
	}
	if (!progress.best || !shape.withBest) return { progress, ...vectors };
	const best = await saved(readChecked(bestFile(folder, progress.best.step)));
	return { progress, ...vectors, best: await readVector(best, "best", shape.size) };
}

function parseProgress(text: string | undefined, path: string): Progress {
	try {
		return progressSchema.parse(JSON.parse(text ?? ""));
	} catch (cause) {
		throw new TailtuneError("model", `${path}: found no progress of a run in it; ${WAY_OUT}`, { cause });
	}
}

async function readVector(checked: SafetensorsFile, name: string, expected: number): Promise<Float32Array> {
	const numbers = await saved(checked.read(name));
	if (numbers.length === expected) return numbers;
	const found = `found ${numbers.length} numbers, expected ${expected}`;
	throw new TailtuneError("model", `${checked.file}: "${name}": ${found}; ${WAY_OUT}`);
}

/** Reads a file that only this run can have written, and tells what to do if that can't be used. */
async function saved<T>(reading: Promise<T>): Promise<T> {
	return reading.catch((cause: unknown) => {
		if (!(cause instanceof TailtuneError)) throw cause;
		throw new TailtuneError(cause.code, `${cause.message}; ${WAY_OUT}`, { cause });
	});
}

function allocateState(shape: StateShape) {
	return shape.withMoments ? allocateTogether(shape) : allocateApart(shape);
}

function allocateApart({ size, trainedSize }: StateShape) {
	const [parameters, firstMoment, secondMoment, sum, ...received] = allocateVectors(
		size,
		trainedSize,
		trainedSize,
		trainedSize,
		trainedSize,
		trainedSize,
	);
	const velocity = new Float32Array(0);
	return { published: parameters, parameters, firstMoment, secondMoment, velocity, gradients: { sum, received } };
}

/** Parameters and moments as one vector, and room for what comes back of it. */
function allocateTogether({ size, trainedSize, withVelocity }: StateShape) {
	const [published, sum, velocity, ...received] = allocateVectors(
		size + 2 * trainedSize,
		3 * trainedSize,
		withVelocity ? trainedSize : 0,
		3 * trainedSize,
		3 * trainedSize,
	);
	const parameters = published.subarray(0, size);
	const firstMoment = published.subarray(size, size + trainedSize);
	const secondMoment = published.subarray(size + trainedSize);
	return { published, parameters, firstMoment, secondMoment, velocity, gradients: { sum, received } };
}

// A step can overflow although its loss was finite; such numbers must never replace a good checkpoint.
function assertFinite(parameters: Float32Array, step: number): void {
	if (allFinite(parameters)) return;
	throw new TailtuneError(
		"diverged",
		`step ${step}: the parameters aren't finite: training diverged; try a smaller --lr`,
	);
}
