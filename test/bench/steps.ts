import { join } from "node:path";
import { resolveModel } from "../../coordinator/base-model/resolve-model.ts";
import type { Bench, BenchContext, Row, Table } from "./bench.ts";
import { type BenchTexts, benchDataset, writeBenchTexts } from "./bench-texts.ts";
import type { BenchOptions } from "./benches.ts";
import { type MachineRates, measureMachine } from "./machine-rates.ts";
import { measureInTurn, median, type Side, spread } from "./measure-in-turn.ts";
import { measurePytorchStep } from "./pytorch-steps.ts";
import { hasNative, type MeasuredRun, measureRun, NATIVE, NATIVE_FLAGS, THREADS, withFolder } from "./tailtune-run.ts";

const WIDTH = 768;
const BATCH = 8;
const BLOCKS = 12;
/** Steps of a run, enough for a median. */
const STEPS = 20;
const KINDS = ["last-block", "head", "last-two-blocks", "lora", "all"] as const;

/** Flags of the backend that is installed by npm alone. */
const NPM_ALONE = ["--backend", "wasm"];

/** Result of one side in one round; empty if it failed. */
interface Measurement {
	readonly rates?: MachineRates;
	readonly run?: MeasuredRun;
	readonly pytorchMs?: number;
}

/** Makes a side whose failure is logged instead of thrown. */
type Attempt = (name: string, work: () => Promise<Measurement>) => Side<Measurement>;

/** Compares trunk and steps with the rates of the machine, and the steps of every `--trainable` with PyTorch. */
export function stepsBench(options: BenchOptions): Bench {
	return { name: "steps", run: (context) => withFolder((folder) => runSteps(context, options, folder)) };
}

async function runSteps({ repeats, log }: BenchContext, options: BenchOptions, folder: string): Promise<Table[]> {
	const model = await resolveModel("random:small");
	const textsOf = async (count: number) =>
		writeBenchTexts(await benchDataset(options.data, count), join(folder, `${count}`));
	const few = await textsOf(Math.ceil((STEPS * BATCH) / 0.7) + 10);
	// As many texts as in a whole run, so that opening the model is a small part of the features phase.
	const whole = await textsOf(options.texts);
	const failures = new Map<string, string>();
	const attempt: Attempt = (name, work) => ({
		name,
		measure: () => work().catch((error: Error) => noteFailure(name, error, failures, log)),
	});
	const libraries = { "": NPM_ALONE, ...((await hasNative()) && { [` on ${NATIVE}`]: NATIVE_FLAGS }) };
	const kinds = KINDS.flatMap((trainable) =>
		Object.entries(libraries).map(([library, flags]) => ({ trainable, name: `${trainable}${library}`, flags })),
	);
	const ours = kinds.map(({ trainable, name, flags }) => {
		const texts = trainable === "last-block" ? whole : few;
		const common = ["--trainable", trainable, "--epochs", "1", "--eval-every", "1000", "--epoch-eval", "batches"];
		const measure = (fresh: string) => measureRun(fresh, texts, model, [...common, ...flags]);
		return attempt(name, async () => ({ run: await withFolder(measure) }));
	});
	const theirs = pytorchSides(options.python, few, attempt);
	const machine = { name: "machine", measure: async () => ({ rates: await measureMachine(THREADS) }) };
	const found = await measureInTurn<Measurement>([machine, ...ours, ...theirs], repeats, log);
	const rates = medianRates((found.get("machine") ?? []).flatMap((one) => one.rates ?? []));
	const runsOf = (name: string) => (found.get(name) ?? []).flatMap(({ run }) => run ?? []);
	const block = runsOf("last-block");
	if (block.length === 0) throw new Error(`--trainable last-block: ${failures.get("last-block")}`);
	return [
		{
			title: `Against the machine, ${THREADS} threads: ${rates.gflopPerSecond.toFixed(0)} GFLOP/s in matrix products, ${rates.gigabytesPerSecond.toFixed(1)} GB/s in sums`,
			rows: [trunkRow(block, whole, rates), stepRow(block, whole, rates)],
		},
		{
			title: `A step of batch ${BATCH}, GPT-2 small`,
			rows: kinds.map(({ trainable, name }) => {
				const pytorch = (found.get(inPytorch(trainable)) ?? []).flatMap(({ pytorchMs }) => pytorchMs ?? []);
				return trainableRow(name, runsOf(name), pytorch, failures.get(name) ?? failures.get(inPytorch(trainable)));
			}),
		},
	];
}

function pytorchSides(python: string, texts: BenchTexts, attempt: Attempt): Side<Measurement>[] {
	return KINDS.map((trainable) => {
		const measure = () => measurePytorchStep(python, texts, { trainable, batch: BATCH, steps: STEPS });
		return attempt(inPytorch(trainable), async () => ({ pytorchMs: await measure() }));
	});
}

function inPytorch(trainable: string): string {
	return `${trainable} in PyTorch`;
}

function medianRates(rates: readonly MachineRates[]): MachineRates {
	return {
		gflopPerSecond: median(rates.map(({ gflopPerSecond }) => gflopPerSecond)),
		gigabytesPerSecond: median(rates.map(({ gigabytesPerSecond }) => gigabytesPerSecond)),
	};
}

/** Logs the reason why a side can't be measured; the others are still measured. */
function noteFailure(
	name: string,
	error: Error,
	failures: Map<string, string>,
	log: (line: string) => void,
): Measurement {
	const reason = error.message.split("\n").at(-1) ?? "";
	failures.set(name, reason);
	log(`${name}: ${reason}`);
	return {};
}

/** Compares the trunk's floating-point operations per second with those of matrix products alone. */
function trunkRow(runs: readonly MeasuredRun[], { tokens, rows, squares }: BenchTexts, rates: MachineRates): Row {
	// Per block, a row costs 24 width² in products, and a text's attention 4 width tokens² (masked half included).
	const gflop = ((BLOCKS - 1) * (24 * WIDTH ** 2 * rows + 4 * WIDTH * squares)) / 1e9;
	const found = runs.map(({ result }) => gflop / result.seconds.features);
	const ratio = median(found) / rates.gflopPerSecond;
	return {
		figure: `features phase, ${tokens} tokens in ${rows} rows`,
		values: { ratio, "GFLOP/s": median(found), spread: spread(found, 0) },
		aim: "at least 0.9 of the matrix products",
		reached: ratio >= 0.9,
		note: "includes opening the graph, which matters more with fewer texts",
	};
}

/** Compares a step of the last block with the smallest possible time of its memory traffic and arithmetic. */
function stepRow(runs: readonly MeasuredRun[], { tokens, distinct }: BenchTexts, rates: MachineRates): Row {
	const parameters = 12 * WIDTH ** 2 + 13 * WIDTH + 2 * WIDTH + 2 * WIDTH + 2;
	// The forward and backward passes read the weights and write the gradient; AdamW reads four arrays of this size and
	// writes three. Both passes read the features of a batch.
	const features = 2 * BATCH * (tokens / distinct) * WIDTH;
	const gigabytes = (4 * (10 * parameters + features)) / 1e9;
	// Three products per weight, with one row per text, and three times each head's attention over the features.
	const gflop = (6 * parameters * BATCH + 3 * 4 * 12 * BATCH * (tokens / distinct) * WIDTH) / 1e9;
	const traffic = (1000 * gigabytes) / rates.gigabytesPerSecond;
	const arithmetic = (1000 * gflop) / rates.gflopPerSecond;
	const found = runs.map(({ result }) => result.stepMs);
	const ratio = median(found) / (traffic + arithmetic);
	return {
		figure: "step of the last block, batch 8",
		values: {
			ratio,
			"our ms": median(found),
			spread: spread(found),
			"traffic ms": traffic,
			"arithmetic ms": arithmetic,
		},
		aim: "at most 1.6 times their sum",
		reached: ratio <= 1.6,
		note: `${(gigabytes * 1000).toFixed(0)} MB (10 passes over ${parameters} parameters, features twice), ${(gflop * 1000).toFixed(0)} MFLOP`,
	};
}

function trainableRow(
	name: string,
	runs: readonly MeasuredRun[],
	pytorch: readonly number[],
	failure: string | undefined,
): Row {
	const row = {
		figure: `--trainable ${name}`,
		aim: "no slower than PyTorch",
		...(failure && { note: `not measured: ${failure}` }),
	};
	const [first] = runs;
	if (!first) return { ...row, values: {} };
	const found = runs.map(({ result }) => result.stepMs);
	const ours = {
		"our ms": median(found),
		spread: spread(found),
		engine: first.result.engine.tail,
		"peak MiB": median(runs.map(({ peakBytes }) => peakBytes / 2 ** 20)),
	};
	if (pytorch.length === 0) return { ...row, values: ours };
	const ratio = median(pytorch) / median(found);
	const values = { ratio, ...ours, "PyTorch ms": median(pytorch), "PyTorch spread": spread(pytorch) };
	return { ...row, values, reached: ratio >= 1 };
}
