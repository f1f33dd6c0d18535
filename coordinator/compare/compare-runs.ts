import { isDeepStrictEqual } from "node:util";
import type { RunComparison } from "../events/comparison-schema.ts";
import { mcnemarTest } from "../metrics/mcnemar.ts";
import { readPredictions } from "../run-folder/predictions.ts";
import type { RunResult } from "../run-folder/result.ts";
import { readRunResult } from "../run-folder/result-files.ts";
import { readRunConfig } from "../run-folder/run-folder.ts";

/** Settings that don't affect the result. */
const NOT_COMPARED = new Set(["out", "name", "threads", "featureMemory", "featureCache", "checkpointEvery"]);

/**
 * Compares finished runs: the settings that differ, the scores on the test set, and for each further run the test texts
 * that it shares with the first one, with the same labels.
 * @param folders of at least two runs
 * @throws TailtuneError "not-found" or "data" that names the file
 */
export async function compareRuns(folders: readonly string[]): Promise<RunComparison> {
	const runs = await Promise.all(folders.map(readRun));
	const [first, ...others] = runs;
	return {
		settings: findDifferences(runs.map(({ config }) => config)),
		runs: runs.map(({ folder, result, config }) => summarize(folder, result, config.name)),
		pairs: others.map(({ folder, judged }) => ({ folder, ...comparePair(first?.judged ?? new Map(), judged) })),
	};
}

async function readRun(folder: string) {
	const config = await readRunConfig(folder);
	const result = await readRunResult(folder);
	const judged = new Map<string, JudgedText>();
	for await (const { set, source, label, correct } of readPredictions(folder))
		if (set === "test") judged.set(source, { label, isRight: correct });
	return { folder, result, config, judged };
}

function findDifferences(configs: readonly Readonly<Record<string, unknown>>[]): RunComparison["settings"] {
	const names = [...new Set(configs.flatMap((config) => Object.keys(config)))].filter(
		(name) => !NOT_COMPARED.has(name),
	);
	return names
		.map((name) => ({ name, values: configs.map((config) => config[name] ?? null) }))
		.filter(({ values }) => values.some((value) => !isDeepStrictEqual(value, values[0])));
}

function summarize(folder: string, result: RunResult, name: string | undefined): RunComparison["runs"][number] {
	const { accuracy, macroF1, loss, texts, intervals, seconds, stepMs } = result;
	return {
		folder,
		...(name !== undefined && { name }),
		accuracy: accuracy.test,
		macroF1: macroF1.test,
		intervals: { accuracy: intervals.accuracy, macroF1: intervals.macroF1 },
		loss: loss.test,
		texts: texts.test,
		seconds: seconds.total,
		stepMs,
	};
}

/** A test text: its own label, and whether the run predicted it. */
interface JudgedText {
	readonly label: string;
	readonly isRight: boolean;
}

/** Counts the texts of both runs by which run got them right. A text that has another label in each isn't compared. */
function comparePair(first: ReadonlyMap<string, JudgedText>, second: ReadonlyMap<string, JudgedText>) {
	const counts = { shared: 0, bothRight: 0, onlyFirst: 0, onlySecond: 0, bothWrong: 0 };
	for (const [source, { label, isRight: isSecondRight }] of second) {
		const own = first.get(source);
		if (own?.label !== label) continue;
		const isFirstRight = own.isRight;
		counts.shared++;
		if (isFirstRight) counts[isSecondRight ? "bothRight" : "onlyFirst"]++;
		else counts[isSecondRight ? "onlySecond" : "bothWrong"]++;
	}
	return { ...counts, pValue: mcnemarTest(counts.onlyFirst, counts.onlySecond) };
}
