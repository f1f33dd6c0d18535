import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "../../coordinator/cluster/cluster.ts";
import { openNatsCluster } from "../../coordinator/cluster/nats-cluster.ts";
import { RunEvents } from "../../coordinator/events/run-events.ts";
import { countFactorTexts } from "../../coordinator/plan/count-factor-texts.ts";
import { createTrainingState, stateShapeOf } from "../../coordinator/training/checkpoint.ts";
import type { RunContext } from "../../coordinator/training/run-context.ts";
import type { RunTexts } from "../../coordinator/training/run-texts.ts";
import { Trainer } from "../../coordinator/training/trainer.ts";
import { parameterLayout } from "../../shared/model/parameter-layout.ts";
import type { RunConfig } from "../../shared/settings/config.ts";
import { resolveConfig } from "../../shared/settings/resolve-config.ts";
import { gpt2 } from "../gpt2-tokenizer.ts";
import { answerRequests } from "./fleet-process.ts";
import { FLEET_TAIL, type FleetSettings, sizesOnly } from "./fleet-settings.ts";

/** Requests to the coordinator of a fleet: open a run and warm up, measure, close. */
export type CoordinatorRequest =
	| { readonly nats: string; readonly workers: number; readonly settings: FleetSettings }
	| { readonly measure: true }
	| { readonly close: true };

/** Answer to the first request. */
export interface WarmedUp {
	/** Seconds of the first step, in which all workers read the state. */
	readonly firstSeconds: number;
	/** Numbers of an update. */
	readonly updateLength: number;
}

/** Answer to the second request. */
export interface MeasuredSteps {
	readonly stepMs: readonly number[];
	readonly seconds: number;
	readonly refusals: Readonly<Record<string, number>>;
}

/** At least this many steps, and at least this long. */
const WARM_UP = { steps: 2, ms: 1500 };
const MEASURED = { steps: 4, ms: 3000 };
const TOKENS = 24;
const JOIN_MS = 50;

let fleet: { readonly cluster: Cluster; readonly trainer: Trainer; readonly step: () => Promise<void> } | undefined;

answerRequests<CoordinatorRequest>(async (request) => {
	if ("nats" in request) return open(request.nats, request.workers, request.settings);
	if (!fleet) throw new Error("expected an open run");
	const { cluster, trainer } = fleet;
	if ("close" in request) return cluster.close();
	const before = trainer.stepMs.length;
	const seconds = await takeSteps(MEASURED);
	return { stepMs: trainer.stepMs.slice(before), seconds, refusals: cluster.refusals() } satisfies MeasuredSteps;
});

async function open(nats: string, workers: number, settings: FleetSettings): Promise<WarmedUp> {
	const model = sizesOnly(settings.size);
	const config = await configOf(workers, settings);
	const cluster = await openNatsCluster(
		{ nats },
		{
			...{ runId: randomUUID(), model, modelHash: await model.hash(), tail: FLEET_TAIL },
			...{ trunkPrecision: "fp32", shards: workers, factorTexts: countFactorTexts(config), engine: config },
		},
	);
	const layout = parameterLayout(FLEET_TAIL, model.config);
	const shape = stateShapeOf(config, FLEET_TAIL, model.config);
	const state = createTrainingState("", Float32Array.from({ length: layout.size }, initialNumber), shape);
	const run: RunContext = {
		...{ cluster, config, folder: "", tail: FLEET_TAIL, frozenBlocks: model.config.n_layer - 1, layout },
		...{ texts: makeTexts(2 * settings.batch, workers), events: new RunEvents() },
		interrupt: new AbortController().signal,
	};
	const trainer = new Trainer(run, state, async () => {});
	const steps = planSteps(trainer);
	fleet = { cluster, trainer, step: async () => void (await trainer.step(steps.next().value)) };
	while (new Set(cluster.dispatcher.holders.filter(Boolean)).size < workers) await sleep(JOIN_MS);
	const start = performance.now();
	await fleet.step();
	const firstSeconds = (performance.now() - start) / 1000;
	await takeSteps(WARM_UP);
	return { firstSeconds, updateLength: state.updatable.update.length };
}

/** With a learning rate of 0 the parameters stay the same, so that workers needn't apply updates to have them. */
async function configOf(shards: number, { batch, applies }: FleetSettings): Promise<RunConfig> {
	const config = await resolveConfig({ batch, threads: 1, keep: "last" });
	return { ...config, shards, metric: "accuracy", ...(!applies && { lr: 0, weightDecay: 0 }) };
}

/** @returns the seconds that the steps took */
async function takeSteps({ steps, ms }: typeof MEASURED): Promise<number> {
	const start = performance.now();
	for (let step = 0; step < steps || performance.now() - start < ms; step++) await fleet?.step();
	return (performance.now() - start) / 1000;
}

function* planSteps(trainer: Trainer): Generator<ReturnType<Trainer["planEpoch"]>[number], never> {
	for (let epoch = 0; ; epoch++) yield* trainer.planEpoch(epoch);
}

/** Texts of the usual length, with any tokens: no engine reads them. */
function makeTexts(count: number, shards: number): RunTexts {
	const train = [...new Array(count).keys()];
	const planned = train.map((id) => ({ id, tokens: new Uint32Array(TOKENS).fill(1 + id), shard: id % shards }));
	const labelOf = (id: number) => id % FLEET_TAIL.classes;
	return {
		...{ labels: ["a", "b"], classes: FLEET_TAIL.classes, classTexts: [], train, validation: [], test: [], planned },
		data: { files: [], equal: 0 },
		learned: train,
		details: train.map((id) => ({ text: "", source: `made-up:${id}`, tokens: TOKENS, cut: false })),
		...{
			padding: { token: "last-real", causal: true, padTo: undefined, padId: 0 },
			maxTokens: TOKENS,
			long: "refuse",
		},
		...{ windows: { train: count, validation: 0, test: 0 }, windowsOf: (id) => [id] },
		countTexts: (ids) => ids.length,
		...{ cut: { train: 0, validation: 0, test: 0 }, distinct: count, overlap: 0, tokenizer: gpt2, hash: "", labelOf },
		labelsOf: (id) => [labelOf(id)],
		sequence(exampleId) {
			const tokens = Array.from(planned[exampleId]?.tokens ?? []);
			return { exampleId, tokens, poolFrom: TOKENS - 1, poolCount: 1, labels: [labelOf(exampleId)] };
		},
	};
}

function initialNumber(_: unknown, index: number): number {
	return Math.sin(index) / 50;
}
