import { join } from "node:path";
import { resolveModel } from "../../coordinator/base-model/resolve-model.ts";
import { BYTES_OF } from "../../shared/exchange/wire-format.ts";
import { openModel } from "../../shared/model/open-model.ts";
import { parameterLayout } from "../../shared/model/parameter-layout.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";
import type { Bench, BenchContext, Row, Table } from "./bench.ts";
import { benchDataset, writeBenchTexts } from "./bench-texts.ts";
import type { BenchOptions } from "./benches.ts";
import { type ClusterRun, measureCluster, type Workers } from "./cluster-run.ts";
import { measureInTurn, median, spread } from "./measure-in-turn.ts";
import type { Link } from "./relay.ts";
import { THREADS, withFolder } from "./tailtune-run.ts";

type Settings = Partial<TrainConfig>;
type Wire = TrainConfig["wire"];

/** A few short texts are enough: the measurement depends on the size of the update, not on the texts. */
const FEW_TEXTS = 160;
const MANY_TEXTS = 1500;
const MODEL = "random:small";
/** Link of each worker in the table of local steps. */
const LINK: Link = { delayMs: 20, bytesPerSecond: 100e6 / 8 };
const QUIET: Settings = { epochEval: "batches", evalBatches: 1, evalEvery: 1e6, checkpointEvery: 1e6, keep: "last" };

/** Measures the cost of several workers in bytes and time per step, and the savings by local steps and bfloat16. */
export function clusterBench({ data }: Pick<BenchOptions, "data">): Bench {
	return {
		name: "cluster",
		run: (context) =>
			withFolder(async (folder) => {
				const texts = async (count: number): Promise<Settings> => {
					const sets = await writeBenchTexts(await benchDataset(data, count), join(folder, `${count}`));
					const fileOf = (set: string) => join(sets.folder, `${set}.jsonl`);
					const files = { train: fileOf("train"), validation: fileOf("val"), test: fileOf("test") };
					return { ...files, maxTokens: sets.longestTokens, balance: false };
				};
				const few = { ...(await texts(FEW_TEXTS)), ...QUIET, model: MODEL };
				return [
					await bytesTable(context, folder, few),
					await timeTable(context, folder, few),
					await localStepsTable(context, folder, await texts(MANY_TEXTS)),
				];
			}),
	};
}

async function bytesTable({ log }: BenchContext, folder: string, settings: Settings): Promise<Table> {
	const size = await trainedSize();
	const rows: Row[] = [];
	const cases: [workers: number, localSteps: number, wire: Wire][] = [
		[1, 1, "f32"],
		[2, 1, "f32"],
		[2, 1, "bf16"],
		[2, 5, "bf16"],
	];
	for (const [count, localSteps, wire] of cases) {
		const run = await measureCluster(
			folder,
			{ ...settings, epochs: 1, shards: count, localSteps, wire },
			{ count, threads: 1, link: "counted" },
		);
		const vectors = localSteps > 1 ? 3 : 1;
		const minimum = (2 * vectors * size * BYTES_OF[wire] * count * run.rounds) / run.steps;
		const found = (run.tensorBytes + run.busBytes) / run.steps;
		rows.push({
			figure: `${count} worker${count > 1 ? "s" : ""}, --local-steps ${localSteps} --wire ${wire}`,
			values: {
				"minimum, MB per step": toMb(minimum),
				"tensors, MB per step": toMb(run.tensorBytes / run.steps),
				"NATS, kB per step": Math.round(run.busBytes / run.steps / 1e2) / 10,
				"of the minimum": Math.round((1e4 * found) / minimum) / 1e4,
			},
			aim: "within 1.02",
			reached: found <= 1.02 * minimum,
		});
		log(`bytes, ${rows.at(-1)?.figure}: ${JSON.stringify(rows.at(-1)?.values)}`);
	}
	return { title: `Bytes per step on the wire (TCP payload), last block of ${MODEL}: ${size} numbers`, rows };
}

async function trainedSize(): Promise<number> {
	const { config } = await openModel(await resolveModel(MODEL));
	const tail = { trainable: "TRAINABLE_LAST_BLOCK", classes: 2, causal: true, loraRank: 0, loraScale: 0 } as const;
	return parameterLayout(tail, config).trainedSize;
}

const ALONE: Workers = { count: 1, threads: THREADS };

async function timeTable({ repeats, log }: BenchContext, folder: string, settings: Settings): Promise<Table> {
	const side = (name: string, own: Settings, workers?: Workers) => ({
		name,
		measure: () => measureCluster(folder, { ...settings, threads: THREADS, ...own }, workers),
	});
	const [small, large] = [
		{ batch: 8, epochs: 3 },
		{ batch: 32, epochs: 12 },
	];
	const two = { ...large, shards: 2 };
	const runs = await measureInTurn(
		[
			side("embedded, batch 8", small),
			side("one worker, batch 8", small, ALONE),
			side("embedded, batch 32", large),
			side("one worker, batch 32", large, ALONE),
			side("one worker, all threads", two, ALONE),
			side("two workers, half the threads", two, { count: 2, threads: Math.max(1, THREADS >> 1) }),
		],
		repeats,
		log,
	);
	const compare = (figure: string, base: string, other: string, aim?: number): Row => {
		const [left, right] = [stepMsOf(runs.get(base)), stepMsOf(runs.get(other))];
		const ratio = median(left) / median(right);
		return {
			figure,
			values: {
				"first, ms per step": `${median(left).toFixed(1)} (${spread(left)})`,
				"second, ms per step": `${median(right).toFixed(1)} (${spread(right)})`,
				"first / second": Math.round(1000 * ratio) / 1000,
			},
			...(aim !== undefined && { aim: `at least ${aim.toFixed(2)}`, reached: ratio >= aim }),
		};
	};
	return {
		title: `Time per step, last block of ${MODEL}, ${THREADS} threads in all`,
		rows: [
			compare("embedded, one local worker; batch 8", "embedded, batch 8", "one worker, batch 8"),
			compare("embedded, one local worker; batch 32", "embedded, batch 32", "one worker, batch 32", 1 / 1.15),
			compare("1 x all threads, 2 x half; batch 32", "one worker, all threads", "two workers, half the threads", 0.9),
		],
	};
}

function stepMsOf(runs: readonly ClusterRun[] = []): number[] {
	return runs.map(({ result }) => result.stepMs);
}

async function localStepsTable({ log }: BenchContext, folder: string, texts: Settings): Promise<Table> {
	const rows: Row[] = [];
	const settings: Settings = { ...texts, model: "demo", lr: 1e-3, epochs: 2, shards: 4, evalEvery: 1e6 };
	const cases: [localSteps: number, settings: Settings][] = [
		[1, {}],
		[1, { wire: "bf16" }],
		[5, {}],
		[20, {}],
		[20, { wire: "bf16" }],
		[20, { outerLr: 0.7, outerMomentum: 0.9 }],
		[50, {}],
		[50, { wire: "bf16" }],
	];
	for (const [localSteps, own] of cases) {
		const workers = { count: 2, threads: 1, link: LINK };
		const run = await measureCluster(folder, { ...settings, localSteps, ...own }, workers);
		const { accuracy, loss } = run.result;
		const extra = [own.wire && ", bf16", own.outerMomentum && ", Nesterov"].filter(Boolean).join("");
		rows.push({
			figure: `H = ${localSteps}${extra}`,
			values: {
				"kB per step": Math.round((run.tensorBytes + run.busBytes) / run.steps / 1e3),
				"ms per step": Math.round((1000 * run.seconds) / run.steps),
				"validation accuracy": accuracy.validation.toFixed(4),
				"test accuracy": accuracy.test.toFixed(4),
				"test loss": loss.test.toFixed(4),
			},
		});
		log(`local steps, ${rows.at(-1)?.figure}: ${JSON.stringify(rows.at(-1)?.values)}`);
	}
	const link = `${LINK.delayMs} ms each way, ${(LINK.bytesPerSecond * 8) / 1e6} Mbit/s`;
	return { title: `Local steps: demo model, 4 shards, 2 workers, each behind a relay of ${link}`, rows };
}

function toMb(bytes: number): number {
	return Math.round(bytes / 1e4) / 100;
}
