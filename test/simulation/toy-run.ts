import { createHash } from "node:crypto";
import { RunEvents } from "../../coordinator/events/run-events.ts";
import { assignShards } from "../../coordinator/plan/assign-shards.ts";
import { readAudit, readMetrics } from "../../coordinator/run-folder/result-files.ts";
import { createTrainingState, stateShapeOf, type TrainingState } from "../../coordinator/training/checkpoint.ts";
import { evaluate } from "../../coordinator/training/evaluator.ts";
import { prepareFeatures } from "../../coordinator/training/prepare-features.ts";
import { restoreState } from "../../coordinator/training/restore-state.ts";
import type { RunContext } from "../../coordinator/training/run-context.ts";
import { runEpochs } from "../../coordinator/training/run-epochs.ts";
import type { RunTexts } from "../../coordinator/training/run-texts.ts";
import { Stopwatch } from "../../coordinator/training/stopwatch.ts";
import { removeTemporaryFiles } from "../../shared/files/write-atomic.ts";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import { parameterLayout } from "../../shared/model/parameter-layout.ts";
import { plainTail } from "../../shared/model/tail-spec.ts";
import { effectiveSequence, type Padding } from "../../shared/sequences/effective-sequence.ts";
import { type RunConfig, trainConfigSchema } from "../../shared/settings/config.ts";
import { gpt2 } from "../gpt2-tokenizer.ts";
import type { Plan } from "./schedule.ts";

const TEXTS = 26;
const TRAIN = 20;
const EPOCHS = 2;

export const classes = 10;
export const width = 16;

/** A model of which only the shape is used. */
export const toyModel = {
	folder: "toy",
	config: { n_layer: 0, n_embd: width, n_head: 1, n_positions: 8, vocab_size: 50, layer_norm_epsilon: 1e-5 },
	tensors: new Map(),
} as unknown as ModelFiles;

/**
 * Trains the head, whose gradient is sent as factors if a step has up to 6 texts, otherwise dense, and the embeddings,
 * whose gradient is sent as rows.
 */
export const toyTail = plainTail("TRAINABLE_ALL", classes);

/** Makes the texts of a toy run: short sequences of tokens. */
export function createToyTexts(shards: number): RunTexts {
	const ids = Array.from({ length: TEXTS }, (_, id) => id);
	const tokens = ids.map((id) => Uint32Array.from({ length: 1 + ((id * 5) % 4) }, (_, i) => (id * 7 + i * 3) % 50));
	const labelOf = (id: number) => (id * 3) % classes;
	// Each set separately, as in a real run, so that every micro-batch has texts of every shard.
	const shardOf = [ids.slice(0, TRAIN), ids.slice(TRAIN)].flatMap((set) => assignShards(set.map(labelOf), shards, 1));
	const padding: Padding = { token: "last-real", causal: true, padTo: undefined, padId: 0 };
	return {
		labels: Array.from({ length: classes }, (_, label) => `label ${label}`),
		classes,
		classTexts: [],
		data: { files: [], equal: 0 },
		train: ids.slice(0, TRAIN),
		validation: ids.slice(TRAIN),
		test: [],
		learned: ids.slice(0, TRAIN),
		planned: ids.map((id) => ({ id, tokens: tokens[id] as Uint32Array, shard: shardOf[id] ?? 0 })),
		details: tokens.map(({ length }, id) => ({ text: "", source: `toy:${id}`, tokens: length, cut: false })),
		padding,
		maxTokens: 8,
		long: "refuse",
		cut: { train: 0, validation: 0, test: 0 },
		windows: { train: TRAIN, validation: TEXTS - TRAIN, test: 0 },
		countTexts: (ids) => ids.length,
		windowsOf: (id) => [id],
		distinct: TEXTS,
		overlap: 0,
		tokenizer: gpt2,
		hash: "",
		labelOf,
		labelsOf: (id) => [labelOf(id)],
		sequence(id, batchLongest) {
			const { tokens: all, ...pool } = effectiveSequence(tokens[id] ?? new Uint32Array(), padding, batchLongest);
			return { exampleId: id, tokens: Array.from(all), ...pool, labels: [labelOf(id)] };
		},
	};
}

export function createToyConfig({ shards, batch, accumulate, checkpointEvery, keep }: Plan): RunConfig {
	return {
		...trainConfigSchema.parse({}),
		...{ shards, batch, accumulate, checkpointEvery, keep },
		metric: "accuracy",
		epochs: EPOCHS,
		...{ lr: 0.05, schedule: "linear", warmup: 1, clip: 1, decay: "matrices" },
		evalEvery: 3,
		evalBatches: 1,
		threads: 1,
	};
}

/** Fingerprint of the inputs of a toy run. */
const FINGERPRINT = "toy";

/** Context of a toy run, without its cluster. */
export type ToyRun = Omit<RunContext, "cluster">;

/** Creates the context of a toy run. @param interrupt aborts at Ctrl-C */
export function createToyRun(plan: Plan, folder: string, interrupt: AbortSignal): ToyRun {
	return {
		config: createToyConfig(plan),
		folder,
		tail: toyTail,
		frozenBlocks: 2,
		layout: parameterLayout(toyTail, toyModel.config),
		texts: createToyTexts(plan.shards),
		events: new RunEvents(),
		interrupt,
	};
}

/** Reads the state of the last checkpoint in the run's folder, or creates a new state. */
export async function openToyState({ folder, config, texts, layout }: ToyRun): Promise<TrainingState> {
	await removeTemporaryFiles(folder);
	const shape = stateShapeOf(config, toyTail, toyModel.config);
	const parameters = new Float32Array(layout.size).map((_, i) => 2 * Math.sin(i));
	const saved = await restoreState(folder, FINGERPRINT, shape, { config, texts, tail: toyTail });
	return saved ?? createTrainingState(FINGERPRINT, parameters, shape);
}

/**
 * Runs the phases of a run up to its last evaluation.
 * @returns a hash of all results, and of the lines of the run's files without times and workers
 */
export async function runPhases(run: RunContext, state: TrainingState): Promise<string> {
	const watch = new Stopwatch();
	watch.add(state.progress.seconds);
	await prepareFeatures(run, watch);
	const { stopped } = await runEpochs(run, state, watch);
	const { parameters, firstMoment, secondMoment, best = parameters, progress } = state;
	// The final parameters, with the number of their step as version, as at the end of a real run.
	const { step: version } = (state.best && progress.best) ?? progress;
	const all = run.texts.planned.map(({ id }) => id);
	const evaluation = await evaluate(run, { version, state: { parameters: best } }, all);
	const metrics = (await readMetrics(run.folder)).map((line) => ({ ...line, seconds: 0 }));
	const audit = (await readAudit(run.folder)).map(({ step, parts }) => ({
		step,
		parts: parts.map(({ part, shard, examples }) => ({ part, shard, examples })),
	}));
	const hash = createHash("sha256");
	for (const vector of [parameters, firstMoment, secondMoment, best])
		hash.update(Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength));
	const { step, examplesSeen, best: bestEpoch } = progress;
	const ends = [stopped, step, examplesSeen, bestEpoch?.epoch, bestEpoch?.step, bestEpoch?.accuracy, bestEpoch?.loss];
	const { loss } = evaluation.score(all);
	return hash.update(JSON.stringify([loss, ends, metrics, audit])).digest("hex");
}
