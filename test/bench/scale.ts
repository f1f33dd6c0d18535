import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { resolveModel } from "../../coordinator/base-model/resolve-model.ts";
import { COMMAND } from "../cli/tailtune.ts";
import type { Bench, BenchContext, Row, Table } from "./bench.ts";
import { benchDataset, makeMessages, writeBenchTexts } from "./bench-texts.ts";
import type { BenchOptions } from "./benches.ts";
import { measureInTurn, median, type Side, spread } from "./measure-in-turn.ts";
import { runMeasured } from "./measured-process.ts";
import { type MeasuredRun, measureRun, THREADS, withFolder } from "./tailtune-run.ts";

/** Tokens and bytes of features of a long text. */
const LONG_TOKENS = 256;
const LONG_BYTES = 4 * 768 * LONG_TOKENS;

/** The fastest trunk, so that other costs are visible. */
const FLAGS = ["--trunk-precision", "int8", "--eval-every", "1000000", "--epoch-eval", "batches"];

/** Measures how time and memory grow with the work, and `classify` of one text from a cold start. */
export function scaleBench(options: BenchOptions): Bench {
	return {
		name: "scale",
		run: (context) =>
			withFolder(async (folder) => {
				const model = await resolveModel("random:small");
				return [
					await measureLongTexts(context, options, model, folder),
					await measureGrowth(context, options, model, folder),
					await measureColdStart(context, options, model, folder),
				];
			}),
	};
}

/** Compares features kept in memory and spilled to disk, with texts as long as reviews. */
async function measureLongTexts(
	{ repeats, log }: BenchContext,
	{ full }: BenchOptions,
	model: string,
	folder: string,
): Promise<Table> {
	const count = full ? 25_000 : 1000;
	const budget = Math.floor((count * LONG_BYTES) / 8);
	const dataset = await makeMessages(count, () => 2 * LONG_TOKENS);
	const texts = await writeBenchTexts(dataset, join(folder, "long"), LONG_TOKENS);
	const side = (name: string, bytes: number): Side<MeasuredRun> => ({
		name,
		measure: () =>
			withFolder((fresh) =>
				measureRun(fresh, texts, model, [...FLAGS, "--epochs", "2", "--feature-memory", `${bytes}`]),
			),
	});
	const runs = await measureInTurn([side("in memory", 2 * count * LONG_BYTES), side("spilled", budget)], repeats, log);
	const [kept = [], spilled = []] = ["in memory", "spilled"].map((name) => runs.get(name));
	const seconds = (of: readonly MeasuredRun[]) => of.map(({ wallSeconds }) => wallSeconds);
	const mib = (of: readonly MeasuredRun[]) => median(of.map(({ peakBytes }) => peakBytes / 2 ** 20));
	const ratio = median(seconds(kept)) / median(seconds(spilled));
	const row: Row = {
		figure: `spilled, ${(budget / 2 ** 20).toFixed(0)} MiB of ${((count * LONG_BYTES) / 2 ** 20).toFixed(0)} MiB in memory`,
		values: {
			ratio,
			"s spilled": median(seconds(spilled)),
			"s in memory": median(seconds(kept)),
			"MiB spilled": mib(spilled),
			"MiB in memory": mib(kept),
			"texts/s of steps, spilled": median(spilled.map(({ result }) => result.textsPerSecond)),
			"texts/s of steps, in memory": median(kept.map(({ result }) => result.textsPerSecond)),
		},
		aim: "at least 0.85 of the rate in memory",
		reached: ratio >= 0.85,
	};
	return { title: `${count} texts of ${LONG_TOKENS} tokens, int8, 2 epochs`, rows: [row] };
}

/** Measures the same run with increasing numbers of short texts. */
async function measureGrowth(
	{ repeats, log }: BenchContext,
	{ full }: BenchOptions,
	model: string,
	folder: string,
): Promise<Table> {
	const counts = full ? [1000, 10_000, 100_000] : [1000, 3000, 10_000];
	const sides = await Promise.all(
		counts.map(async (count) => {
			const texts = await writeBenchTexts(await benchDataset(undefined, count), join(folder, `${count}`));
			return {
				name: `${count} texts`,
				count,
				texts,
				measure: () => withFolder((fresh) => measureRun(fresh, texts, model, [...FLAGS, "--epochs", "1"])),
			};
		}),
	);
	const runs = await measureInTurn(sides, repeats, log);
	let smaller: { readonly seconds: number; readonly tokens: number } | undefined;
	const rows = sides.map(({ name, count, texts: { tokens } }): Row => {
		const found = runs.get(name) ?? [];
		const seconds = median(found.map(({ wallSeconds }) => wallSeconds));
		const ratio =
			smaller && (seconds - smaller.seconds) / (tokens - smaller.tokens) / (smaller.seconds / smaller.tokens);
		smaller = { seconds, tokens };
		return {
			figure: name,
			values: {
				tokens,
				"our s": seconds,
				spread: spread(found.map(({ wallSeconds }) => wallSeconds)),
				"ms per text": (1000 * seconds) / count,
				"µs per token": (1e6 * seconds) / tokens,
				"peak MiB": median(found.map(({ peakBytes }) => peakBytes / 2 ** 20)),
				...(ratio !== undefined && { ratio }),
			},
			...(ratio !== undefined && { aim: "time per additional token doesn't grow", reached: ratio <= 1.1 }),
		};
	});
	return { title: `Growth, int8, 1 epoch over messages of about 30 tokens, ${THREADS} threads`, rows };
}

/** Measures `tailtune classify` of one text, including the start of the process. */
async function measureColdStart(
	{ repeats, log }: BenchContext,
	options: BenchOptions,
	model: string,
	folder: string,
): Promise<Table> {
	const texts = await writeBenchTexts(await benchDataset(options.data, 40), join(folder, "few"));
	const tuned = join(folder, "tuned");
	await measureRun(tuned, texts, model, ["--trainable", "head", "--epochs", "1"]);
	const [run = ""] = (await readdir(tuned)).filter((name) => name.startsWith("run-"));
	const args = [COMMAND, "classify", join(tuned, run), "WINNER! You have won a prize, call 0800 now"];
	const measure = () =>
		withFolder((fresh) => runMeasured({ file: process.execPath, args, env: { XDG_CACHE_HOME: fresh } }));
	const side = { name: "classify", measure };
	const found = (await measureInTurn([side], repeats, log)).get("classify") ?? [];
	const seconds = found.map(({ wallSeconds }) => wallSeconds);
	const row = {
		figure: "tailtune classify of one text",
		values: {
			"our s": median(seconds),
			spread: spread(seconds, 2),
			"peak MiB": median(found.map(({ peakBytes }) => peakBytes / 2 ** 20)),
		},
		aim: "under 1.5 s",
		reached: median(seconds) < 1.5,
	};
	return { title: "Cold start, GPT-2 small", rows: [row] };
}
