import { join } from "node:path";
import { resolveModel } from "../../coordinator/base-model/resolve-model.ts";
import { openModel } from "../../shared/model/open-model.ts";
import { parameterLayout } from "../../shared/model/parameter-layout.ts";
import { plainTail } from "../../shared/model/tail-spec.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";
import type { Bench, BenchContext, Row, Table } from "./bench.ts";
import { benchDataset, writeBenchTexts } from "./bench-texts.ts";
import type { BenchOptions } from "./benches.ts";
import { type ClusterRun, measureCluster, type Workers } from "./cluster-run.ts";
import { measureInTurn, median, spread } from "./measure-in-turn.ts";
import type { Link } from "./relay.ts";
import { THREADS, withFolder } from "./tailtune-run.ts";

type Settings = Partial<TrainConfig>;

/** A few short texts are enough: the measurement depends on the size of the update, not on the texts. */
const FEW_TEXTS = 160;
const MODEL = "random:small";
/** Links of each worker in the table of slow networks. */
const LINKS: readonly Link[] = [
	{ delayMs: 20, bytesPerSecond: 100e6 / 8 },
	{ delayMs: 1, bytesPerSecond: 1e9 / 8 },
];
const QUIET: Settings = { epochEval: "batches", evalBatches: 1, evalEvery: 1e6, checkpointEvery: 1e6, keep: "last" };

/** Measures the cost of several workers in bytes and time per step, also on slow networks. */
export function clusterBench({ data }: Pick<BenchOptions, "data">): Bench {
	return {
		name: "cluster",
		run: (context) =>
			withFolder(async (folder) => {
				const sets = await writeBenchTexts(await benchDataset(data, FEW_TEXTS), join(folder, "texts"));
				const fileOf = (set: string) => join(sets.folder, `${set}.jsonl`);
				const files = { train: fileOf("train"), validation: fileOf("val"), test: fileOf("test") };
				const texts = { maxTokens: sets.longestTokens, long: "cut", balance: "none" } as const;
				const settings = { ...files, ...QUIET, ...texts, model: MODEL };
				return [
					await bytesTable(context, folder, settings),
					await timeTable(context, folder, settings),
					await slowTable(context, folder, settings),
				];
			}),
	};
}

async function bytesTable({ log }: BenchContext, folder: string, settings: Settings): Promise<Table> {
	const size = await trainedSize();
	const rows: Row[] = [];
	for (const count of [1, 2]) {
		const own = { ...settings, epochs: 1, shards: count };
		const run = await measureCluster(folder, own, { count, threads: 1, link: "counted" });
		const minimum = 2 * size * Float32Array.BYTES_PER_ELEMENT * count;
		const found = (run.tensorBytes + run.busBytes) / run.steps;
		rows.push({
			figure: `${count} worker${count > 1 ? "s" : ""}`,
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
	const tail = plainTail("TRAINABLE_LAST_BLOCK", 2);
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

async function slowTable({ log }: BenchContext, folder: string, settings: Settings): Promise<Table> {
	const rows: Row[] = [];
	for (const link of LINKS) {
		const own = { ...settings, epochs: 1, shards: 2 };
		const run = await measureCluster(folder, own, { count: 2, threads: 1, link });
		rows.push({
			figure: `${link.delayMs} ms each way, ${(link.bytesPerSecond * 8) / 1e6} Mbit/s`,
			values: {
				"MB per step": toMb((run.tensorBytes + run.busBytes) / run.steps),
				"ms per step": Math.round((1000 * run.seconds) / run.steps),
			},
		});
		log(`slow networks, ${rows.at(-1)?.figure}: ${JSON.stringify(rows.at(-1)?.values)}`);
	}
	return { title: `Slow networks: last block of ${MODEL}, 2 workers, each connection through a relay`, rows };
}

function toMb(bytes: number): number {
	return Math.round(bytes / 1e4) / 100;
}
