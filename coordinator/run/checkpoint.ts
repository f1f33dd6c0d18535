import { stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { allFinite } from "../../shared/all-finite.ts";
import { TailtuneError } from "../../shared/errors.ts";
import { allocateVectors } from "../../shared/kernels/allocate-vectors.ts";
import { readSafetensorsFile, writeSafetensors } from "../../shared/model/safetensors.ts";
import type { AuditLine } from "../results/audit.ts";
import { appendAudit } from "../results/result-files.ts";
import { BEST_FILE, CHECKPOINT_FILE } from "./run-folder.ts";

const progressSchema = z.strictObject({
	/** What the run was started on; a checkpoint goes on with nothing else. */
	fingerprint: z.string(),
	/** Optimizer steps done, epochs done, texts learned from. */
	step: z.int(),
	epoch: z.int(),
	examplesSeen: z.int(),
	/** Lines of metrics.jsonl that are older than this checkpoint. */
	metricsLines: z.int(),
	/** The epoch best on validation so far. */
	best: z.object({ epoch: z.int(), step: z.int(), accuracy: z.number(), loss: z.number() }).optional(),
	/** Seconds spent by phase before this checkpoint. */
	seconds: z.object({ load: z.number(), features: z.number(), training: z.number(), evaluation: z.number() }),
});

/** Where a run stands, but for the numbers that are trained. */
export type Progress = z.infer<typeof progressSchema>;

/** What there is of a state. */
export interface StateShape {
	/** Numbers that are trained: the first of the parameters. */
	readonly trainedSize: number;
	/** Whether workers get the moments too. */
	readonly withMoments: boolean;
	readonly withVelocity: boolean;
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
	const seconds = { load: 0, features: 0, training: 0, evaluation: 0 };
	const vectors = allocateState(parameters.length, shape);
	vectors.parameters.set(parameters);
	return { progress: { fingerprint, step: 0, epoch: 0, examplesSeen: 0, metricsLines: 0, seconds }, ...vectors };
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
	const tensors = { parameters, firstMoment, secondMoment, ...(velocity.length > 0 && { velocity }) };
	const metadata = { progress: JSON.stringify(progress) };
	await writeSafetensors(join(folder, CHECKPOINT_FILE), asTensors(tensors), metadata, onTaken);
}

/** Writes the parameters of the best epoch; before the checkpoint that names it. */
export async function writeBest(folder: string, best: Float32Array): Promise<void> {
	await writeSafetensors(join(folder, BEST_FILE), asTensors({ best }), {});
}

/**
 * Reads the state back; undefined where the run has no checkpoint yet.
 * @throws TailtuneError "model" where the file is not whole, "data" where the run was started on something else
 */
export async function readCheckpoint(
	folder: string,
	fingerprint: string,
	shape: StateShape,
): Promise<TrainingState | undefined> {
	const file = join(folder, CHECKPOINT_FILE);
	if (!(await exists(file))) return undefined;
	const checkpoint = await readSafetensorsFile(file);
	const progress = progressSchema.parse(JSON.parse(checkpoint.metadata.progress ?? "null"));
	if (progress.fingerprint !== fingerprint) {
		throw new TailtuneError(
			"data",
			`${folder}: the data, the model or the settings changed since this run began; start a new run`,
		);
	}
	const saved = await checkpoint.read("parameters");
	const vectors = allocateState(saved.length, shape);
	vectors.parameters.set(saved);
	vectors.firstMoment.set(await checkpoint.read("firstMoment"));
	vectors.secondMoment.set(await checkpoint.read("secondMoment"));
	if (shape.withVelocity) vectors.velocity.set(await checkpoint.read("velocity"));
	return {
		progress,
		...vectors,
		...(progress.best && (await exists(join(folder, BEST_FILE))) && { best: await readBest(folder) }),
	};
}

function allocateState(size: number, shape: StateShape) {
	return shape.withMoments ? allocateTogether(size, shape) : allocateApart(size, shape);
}

function allocateApart(size: number, { trainedSize }: StateShape) {
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
function allocateTogether(size: number, { trainedSize, withVelocity }: StateShape) {
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

async function readBest(folder: string): Promise<Float32Array> {
	return (await readSafetensorsFile(join(folder, BEST_FILE))).read("best");
}

function asTensors(vectors: Record<string, Float32Array>) {
	return Object.entries(vectors).map(([name, data]) => ({ name, shape: [data.length], data }));
}

// A step can overflow although its loss was finite; such numbers must never replace a good checkpoint.
function assertFinite(parameters: Float32Array, step: number): void {
	if (allFinite(parameters)) return;
	throw new TailtuneError(
		"diverged",
		`step ${step}: the parameters aren't finite: training diverged; try a smaller --lr`,
	);
}

async function exists(file: string): Promise<boolean> {
	return stat(file).then(
		() => true,
		() => false,
	);
}
