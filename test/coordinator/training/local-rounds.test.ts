import { readFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { openEmbeddedCluster } from "../../../coordinator/cluster/embedded-cluster.ts";
import { RunEvents } from "../../../coordinator/events/run-events.ts";
import { resume, train } from "../../../coordinator/training/train.ts";
import { readSafetensorsFile } from "../../../shared/model/safetensors.ts";
import type { TrainConfig } from "../../../shared/settings/config.ts";
import { resolveConfig } from "../../../shared/settings/resolve-config.ts";
import { startWorker } from "../../../worker/run/lifecycle.ts";
import { writeTexts } from "../../cli/tailtune.ts";
import { newFolder } from "../../new-folder.ts";

const workerSide = { startWorker, inspectEngines: async () => [], addWorkerCommand: () => {} };

/** The environment of a run. @param onStep called after each round */
function environment(onStep = () => {}, interrupt = new AbortController()) {
	const events = new RunEvents();
	events.listen((event) => {
		if (event.event === "progress" && event.name === "training") onStep();
	});
	const openCluster = (run: Parameters<typeof openEmbeddedCluster>[1]) => openEmbeddedCluster(workerSide, run);
	return { openCluster, events, interrupt: interrupt.signal };
}

async function configOf(data: string, settings: Partial<TrainConfig>): Promise<TrainConfig> {
	const common = { data, model: "demo", lr: 1e-3, threads: 1, keep: "last", out: join(await newFolder(), "run") };
	return resolveConfig({ ...common, ...settings });
}

const weightsOf = (folder: string) => readFile(join(folder, "model", "model.safetensors"));

async function metricsOf(folder: string): Promise<{ kind: string; step: number; examplesSeen: number }[]> {
	const lines = await readFile(join(folder, "metrics.jsonl"), "utf8");
	return lines
		.trim()
		.split("\n")
		.map((line) => JSON.parse(line));
}

test.serial(
	"with one shard, a round of many steps gives the parameters of these steps, up to one rounding",
	async (t) => {
		const data = await writeTexts(40);
		const settings = { epochs: 1, accumulate: 2, batch: 4 };
		const plain = await train(await configOf(data, settings), environment());
		const round = await train(await configOf(data, { ...settings, localSteps: 100 }), environment());
		const [expected, found] = await Promise.all(
			[plain, round].map(({ folder }) => readSafetensorsFile(join(folder, "model", "model.safetensors"))),
		);
		let moved = 0;
		for (const name of expected?.tensors.keys() ?? []) {
			const numbers = (await expected?.read(name)) ?? new Float32Array();
			const others = (await found?.read(name)) ?? new Float32Array();
			t.true(
				numbers.every(
					(number, i) => Math.abs(number - (others[i] as number)) <= 2 ** -23 * Math.max(1, Math.abs(number)),
				),
				name,
			);
			moved++;
		}
		t.true(moved > 10);
		t.deepEqual(
			(await metricsOf(round.folder)).map(({ step, examplesSeen }) => [step, examplesSeen]),
			[
				[0, 0],
				[7, 56],
			],
		);
	},
);

test.serial("an interrupted run in rounds resumes to the same weights, evaluations and counts", async (t) => {
	const data = await writeTexts(60);
	const settings = { epochs: 2, shards: 2, batch: 4, localSteps: 3, evalEvery: 5, outerLr: 0.7, outerMomentum: 0.9 };
	const whole = await train(await configOf(data, settings), environment());
	const config = await configOf(data, settings);
	const interrupt = new AbortController();
	let rounds = 0;
	const onStep = () => {
		if (++rounds === 9) interrupt.abort();
	};
	await t.throwsAsync(train(config, environment(onStep, interrupt)), { code: "interrupted" });
	const resumed = await resume(config.out ?? "", environment());
	t.true((await weightsOf(whole.folder)).equals(await weightsOf(resumed.folder)));
	const evaluations = (lines: { kind: string; step: number; examplesSeen: number }[]) =>
		lines.map(({ kind, step, examplesSeen }) => [kind, step, examplesSeen]);
	t.deepEqual(evaluations(await metricsOf(resumed.folder)), evaluations(await metricsOf(whole.folder)));
	// 21 steps per epoch; evaluated at the first round that reaches or passes a multiple of 5 steps of the run.
	const expected = [0, 6, 12, 15, 21, 27, 30, 36, 42];
	t.deepEqual(
		(await metricsOf(whole.folder)).map(({ step }) => step),
		expected,
	);
});
