import { join } from "node:path";
import { resolveModel } from "../../coordinator/base-model/resolve-model.ts";
import type { Bench, BenchContext, Row, Table } from "./bench.ts";
import { benchDataset, writeBenchTexts } from "./bench-texts.ts";
import type { BenchOptions } from "./benches.ts";
import { measureInTurn, median, type Side, spread } from "./measure-in-turn.ts";
import { openPeers, type PeerRun, type Peers } from "./peers.ts";
import { hasNative, type MeasuredRun, measureRun, NATIVE, NATIVE_FLAGS, THREADS, withFolder } from "./tailtune-run.ts";

type Run = MeasuredRun | PeerRun;
type Runs = ReadonlyMap<string, readonly Run[]>;

/** A comparison of two sides by the ratio peer's seconds / our seconds. */
interface Comparison {
	readonly figure: string;
	readonly ours: string;
	readonly peer: string;
	/** Target for the ratio. Unset: none. */
	readonly aim?: number;
	readonly note?: string;
}

/** Flags of our measured runs by name; each run starts with an empty cache. */
const OURS: Readonly<Record<string, readonly string[]>> = {
	"fp32 (default)": [],
	"--trunk-precision int8": ["--trunk-precision", "int8"],
	"--preset book": ["--preset", "book"],
};

/** Comparisons of the same run on native TensorFlow. */
const ON_NATIVE: readonly Comparison[] = [
	{ figure: `fp32 on ${NATIVE}`, ours: NATIVE, peer: "fp32 (default)", note: "the peer is our own default" },
	{ figure: `fp32 on ${NATIVE}`, ours: NATIVE, peer: "cached.py" },
];

/** Flags of the peers' programs. Those that take minutes are cut short and project the time of a whole run. */
const PEERS: Readonly<Record<string, readonly string[]>> = {
	"cached.py --gemm default": ["--gemm", "default"],
	"cached.py": [],
	"cached.py --dtype bfloat16": ["--dtype", "bfloat16"],
	"hf_trainer.py": ["--max-steps", "10"],
	"book.py": ["--max-steps", "4"],
};

const PROJECTED = "the peer's time is projected and excludes loading; ours is that of the whole process";

const COMPARISONS: readonly Comparison[] = [
	{ figure: "fp32", ours: "fp32 (default)", peer: "cached.py --gemm default", aim: 1.15 },
	{ figure: "fp32", ours: "fp32 (default)", peer: "cached.py", aim: 0.9 },
	{ figure: "int8 trunk", ours: "--trunk-precision int8", peer: "cached.py --dtype bfloat16", aim: 1.25 },
	{ figure: "fp32", ours: "fp32 (default)", peer: "hf_trainer.py", aim: 6, note: PROJECTED },
	{ figure: "fp32", ours: "fp32 (default)", peer: "book.py", aim: 18, note: PROJECTED },
	{ figure: "--preset book", ours: "--preset book", peer: "book.py", aim: 6, note: PROJECTED },
];

/**
 * Compares whole runs of GPT-2 small, 5 epochs, with PyTorch: seconds, processor time and memory of whole processes.
 */
export function speedBench(options: BenchOptions): Bench {
	return { name: "speed", run: (context) => withFolder((folder) => runSpeed(context, options, folder)) };
}

async function runSpeed(context: BenchContext, options: BenchOptions, folder: string): Promise<Table[]> {
	const model = await resolveModel("random:small");
	const texts = await writeBenchTexts(await benchDataset(options.data, options.texts), join(folder, "texts"));
	const peers = await openPeers(context, options.python, texts, model, folder);
	const isNative = await hasNative();
	const ours = Object.entries({ ...OURS, ...(isNative && { [NATIVE]: NATIVE_FLAGS }) }).map(([name, flags]) => ({
		name,
		measure: () => withFolder((fresh) => measureRun(fresh, texts, model, flags)),
	}));
	let rounds = 0;
	const again: Side<Run> = {
		name: "fp32, a second time with --lr 1e-4",
		// Each round has a new cache folder: the first run fills it, the second uses it.
		measure: async () => {
			const cached = join(folder, `round-${rounds++}`);
			await measureRun(cached, texts, model);
			return measureRun(cached, texts, model, ["--lr", "1e-4"]);
		},
	};
	const sides = [...ours, again, ...peerSides(peers, context.log)];
	const measured = await measureInTurn<Run | undefined>(sides, context.repeats, context.log);
	const runs: Runs = new Map([...measured].map(([name, of]) => [name, of.filter((run) => run !== undefined)]));
	const comparisons = isNative ? [...COMPARISONS, ...ON_NATIVE] : COMPARISONS;
	const work = `${texts.texts} texts, ${texts.distinct} distinct of ${texts.tokens} tokens in ${texts.rows} rows, ${THREADS} threads`;
	return [
		{
			title: `Whole runs, GPT-2 small, 5 epochs: ${work}`,
			rows: [...comparisons.map((of) => compare(runs, of)), memory(runs), second(runs, again.name)],
		},
		{
			title: "Phases of a run",
			rows: [...runs].flatMap(([name, of]) => (of.length > 0 ? [phases(name, of)] : [])),
		},
	];
}

/** Returns the sides of the peers. The failure of one is logged, and the others are still measured. */
function peerSides(peers: Peers | undefined, log: (line: string) => void): Side<Run | undefined>[] {
	if (!peers) return [];
	return Object.entries(PEERS).map(([name, flags]) => ({
		name,
		measure: () =>
			peers.run(name.split(" ", 1)[0] ?? name, flags).catch((error: Error) => {
				log(error.message);
				return undefined;
			}),
	}));
}

function compare(runs: Runs, { figure, ours, peer, aim, note }: Comparison): Row {
	const own = runs.get(ours) ?? [];
	const other = runs.get(peer) ?? [];
	const wanted = aim !== undefined && { aim: `at least ${aim} times faster` };
	const row = { figure: `${figure} against ${peer}`, ...wanted, ...(note && { note }) };
	if (other.length === 0) return { ...row, values: seconds("our", own) };
	const ratio = median(other.map(secondsOf)) / median(own.map(secondsOf));
	return {
		...row,
		values: { ratio, ...seconds("our", own), ...seconds("peer", other) },
		...(aim && { reached: ratio >= aim }),
	};
}

function seconds(whose: string, runs: readonly Run[]): Record<string, number | string> {
	const all = runs.map(secondsOf);
	return { [`${whose} s`]: median(all), [`${whose} spread`]: spread(all) };
}

/** Returns the seconds of the whole process, or the projected seconds of a peer that was cut short. */
function secondsOf(run: Run): number {
	return "report" in run && !run.report.complete ? run.report.projected_full_seconds : run.wallSeconds;
}

function memory(runs: Runs): Row {
	const mib = (name: string) => (runs.get(name) ?? []).map(({ peakBytes }) => peakBytes / 2 ** 20);
	const own = median(mib("fp32 (default)"));
	const peer = mib("cached.py");
	const isBelow = peer.length > 0 && own < median(peer);
	return {
		figure: "peak memory of the default run against cached.py",
		values: {
			...(peer.length > 0 && { ratio: median(peer) / own, "peer MiB": median(peer) }),
			"our MiB": own,
		},
		aim: "at most 1,536 MiB and below the peer's",
		...(peer.length > 0 && { reached: own <= 1536 && isBelow }),
	};
}

function second(runs: Runs, name: string): Row {
	const first = (runs.get("fp32 (default)") ?? []).map(secondsOf);
	const again = (runs.get(name) ?? []).map(secondsOf);
	const ratio = median(first) / median(again);
	return {
		figure: "a second run with another learning rate, against the first",
		values: { ratio, "our s": median(again), "our spread": spread(again) },
		aim: "at least 2.5 times faster",
		reached: ratio >= 2.5,
	};
}

function phases(figure: string, runs: readonly Run[]): Row {
	const of = (value: (run: Run) => number) => median(runs.map(value));
	const values = { "wall s": of(({ wallSeconds }) => wallSeconds), "cpu s": of(({ cpuSeconds }) => cpuSeconds) };
	const peak = { "peak MiB": of(({ peakBytes }) => peakBytes / 2 ** 20) };
	const [first] = runs;
	if (!first || "report" in first) {
		const cut = first && !first.report.complete ? { note: "only a few steps were run" } : {};
		return { figure, values: { ...values, ...peak, "step ms": of((run) => peerOf(run).step_ms.median) }, ...cut };
	}
	const own = (value: (result: MeasuredRun["result"]) => number) => of((run) => value((run as MeasuredRun).result));
	return {
		figure,
		values: {
			...values,
			...peak,
			"step ms": own(({ stepMs }) => stepMs),
			"load s": own(({ seconds }) => seconds.load),
			"features s": own(({ seconds }) => seconds.features),
			"training s": own(({ seconds }) => seconds.training),
			"evaluation s": own(({ seconds }) => seconds.evaluation),
			"rest s": of((run) => run.wallSeconds - (run as MeasuredRun).result.seconds.total),
			"test accuracy": own(({ accuracy }) => accuracy.test),
		},
	};
}

function peerOf(run: Run): PeerRun["report"] {
	if (!("report" in run)) throw new TypeError("expected the run of a peer");
	return run.report;
}
