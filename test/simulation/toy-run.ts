import { createHash } from "node:crypto";
import { RunEvents } from "../../coordinator/events/run-events.ts";
import { assignShards } from "../../coordinator/plan/assign-shards.ts";
import { type AuditLine, checkAudit } from "../../coordinator/run-folder/audit.ts";
import { newTrainingState, type TrainingState } from "../../coordinator/training/checkpoint.ts";
import { evaluate } from "../../coordinator/training/evaluator.ts";
import { prepareFeatures } from "../../coordinator/training/prepare-features.ts";
import type { RunContext } from "../../coordinator/training/run-context.ts";
import type { RunTexts } from "../../coordinator/training/run-texts.ts";
import { Trainer } from "../../coordinator/training/trainer.ts";
import { effectiveSequence, type Padding } from "../../shared/sequences/effective-sequence.ts";
import { type RunConfig, trainConfigSchema } from "../../shared/settings/config.ts";
import { classes, fakeModel, headRun, layoutOf } from "../worker/run/fake-engines.ts";
import type { Plan } from "./schedule.ts";

const TEXTS = 26;
const TRAIN = 20;
const EPOCHS = 2;

/** What a toy run learns from: short texts of made-up tokens. */
export function toyTexts(shards: number): RunTexts {
	const ids = Array.from({ length: TEXTS }, (_, id) => id);
	const tokens = ids.map((id) => Uint32Array.from({ length: 1 + ((id * 5) % 4) }, (_, i) => (id * 7 + i * 3) % 50));
	const labelOf = (id: number) => (id * 3) % classes;
	const shardOf = assignShards(ids.map(labelOf), shards, 1);
	const padding: Padding = { token: "last-real", causal: true, padTo: undefined, padId: 0 };
	return {
		labels: ["a", "b"],
		classes,
		classTexts: [],
		train: ids.slice(0, TRAIN),
		validation: ids.slice(TRAIN),
		test: [],
		planned: ids.map((id) => ({ id, tokens: tokens[id] as Uint32Array, shard: shardOf[id] ?? 0 })),
		padding,
		maxTokens: 8,
		truncate: false,
		cut: { train: 0, validation: 0, test: 0 },
		distinct: TEXTS,
		overlap: 0,
		hash: "",
		labelOf,
		sequence(id, batchLongest) {
			const { tokens: all, ...pool } = effectiveSequence(tokens[id] ?? new Uint32Array(), padding, batchLongest);
			return { exampleId: id, tokens: Array.from(all), ...pool, label: labelOf(id) };
		},
	};
}

export function toyConfig({ shards, batch, accumulate }: Plan): RunConfig {
	return { ...trainConfigSchema.parse({}), shards, batch, accumulate, epochs: EPOCHS, lr: 0.05 };
}

/** Where a toy run begins. */
export function toyState(): TrainingState {
	const { size, trainedSize } = layoutOf(headRun);
	return newTrainingState(
		"",
		new Float32Array(size).map((_, i) => Math.sin(i) / 4),
		{ size, trainedSize, withMoments: false, withVelocity: false, withBest: false },
	);
}

/** What of a checkpoint's file counts. */
export function copyOf(state: TrainingState): TrainingState {
	const { parameters, firstMoment, secondMoment, progress } = state;
	const room = () => new Float32Array(firstMoment.length);
	const own = parameters.slice();
	return {
		published: own,
		velocity: new Float32Array(0),
		gradients: { sum: room(), received: [room(), room()] },
		parameters: own,
		firstMoment: firstMoment.slice(),
		secondMoment: secondMoment.slice(),
		progress: structuredClone(progress),
	};
}

/** What the phases of a toy run share beside the cluster. */
export function toyContext(plan: Plan): Omit<RunContext, "spec" | "dispatcher" | "tensors"> {
	return {
		refusals: () => ({}),
		config: toyConfig(plan),
		folder: "",
		tail: headRun.tail as NonNullable<typeof headRun.tail>,
		cut: fakeModel.config.n_layer,
		layout: layoutOf(headRun),
		texts: toyTexts(plan.shards),
		events: new RunEvents(),
		interrupt: new AbortController().signal,
	};
}

/**
 * The phases of a run without its files: features, looks, steps, the last evaluation, the audit.
 * @param audit lines of the steps before; those of the next are added at each checkpoint
 * @returns a hash of all numbers that came out
 */
export async function runPhases(
	run: RunContext,
	state: TrainingState,
	checkpointEvery: number,
	audit: AuditLine[],
	onCheckpoint: (state: TrainingState) => void,
): Promise<string> {
	const { progress, parameters, published } = state;
	const trainer = new Trainer(run, state);
	const all = run.texts.planned.map(({ id }) => id);
	const look = () => evaluate(run, { version: progress.step, published }, all);
	const checkpoint = () => {
		audit.push(...trainer.audit.take());
		onCheckpoint(copyOf(state));
	};
	await prepareFeatures(run);
	const stepsPerEpoch = trainer.planEpoch(0).length;
	while (progress.epoch < EPOCHS) {
		const done = progress.step - progress.epoch * stepsPerEpoch;
		for (const step of trainer.planEpoch(progress.epoch).slice(done)) {
			if (progress.step === 0) await look();
			await trainer.step(step, async () => {});
			if (progress.step % checkpointEvery === 0 && progress.step % stepsPerEpoch !== 0) checkpoint();
		}
		progress.epoch++;
		await look();
		checkpoint();
	}
	const planned = Array.from({ length: EPOCHS }, (_, epoch) => trainer.planEpoch(epoch)).flat();
	checkAudit(audit, planned, "audit");
	const evaluation = await evaluate(run, { version: progress.step, published }, all);
	const { loss } = evaluation.score(all);
	const hash = createHash("sha256");
	for (const vector of [parameters, state.firstMoment, state.secondMoment])
		hash.update(Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength));
	return hash.update(JSON.stringify([loss, progress.step, progress.examplesSeen])).digest("hex");
}
