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
 * that it shares with the first one.
 * @param folders of at least two runs
 * @throws TailtuneError "not-found" or "data" that names the file
 */
export async function compareRuns(folders: readonly string[]): Promise<RunComparison> {
	const runs = await Promise.all(folders.map(readRun));
	const [first, ...others] = runs;
	return {
		settings: findDifferences(runs.map(({ config }) => config)),
		runs: runs.map(({ folder, result, config }) => summarize(folder, result, config.name)),
		pairs: others.map(({ folder, correct }) => ({ folder, ...comparePair(first?.correct ?? new Map(), correct) })),
	};
}

async function readRun(folder: string) {
	const config = await readRunConfig(folder);
	const result = await readRunResult(folder);
	const correct = new Map<string, boolean>();
	for await (const line of readPredictions(folder)) if (line.set === "test") correct.set(line.source, line.correct);
	return { folder, result, config, correct };
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

/** Counts the texts of both runs by who got them right. @param first whether the first run got each text right */
function comparePair(first: ReadonlyMap<string, boolean>, second: ReadonlyMap<string, boolean>) {
	const counts = { shared: 0, bothRight: 0, onlyFirst: 0, onlySecond: 0, bothWrong: 0 };
	for (const [source, isSecondRight] of second) {
		const isFirstRight = first.get(source);
		if (isFirstRight === undefined) continue;
		counts.shared++;
		if (isFirstRight) counts[isSecondRight ? "bothRight" : "onlyFirst"]++;
		else counts[isSecondRight ? "onlySecond" : "bothWrong"]++;
	}
	return { ...counts, pValue: mcnemarTest(counts.onlyFirst, counts.onlySecond) };
}
