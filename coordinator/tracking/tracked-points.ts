import type { MetricsLine, RunResult } from "../run-folder/result.ts";
import type { TrackedPoint } from "./tracker.ts";

/**
 * Returns the numbers of an evaluation. Evaluations on a few batches have names of their own, because they vary more.
 * @param previous the evaluation before it, for the speed in between
 * @param time in milliseconds since 1970
 */
export function pointOfLine(line: MetricsLine, previous: MetricsLine | undefined, time: number): TrackedPoint {
	const suffix = line.kind === "step" ? "-few-batches" : "";
	const sets = (["train", "validation"] as const).flatMap((set) => [
		[`loss/${set}${suffix}`, line[set].loss],
		[`accuracy/${set}${suffix}`, line[set].accuracy],
		[`macro-f1/${set}${suffix}`, line[set].macroF1],
	]);
	const texts = line.examplesSeen - (previous?.examplesSeen ?? 0);
	const seconds = line.seconds - (previous?.seconds ?? 0);
	const speed = previous && texts > 0 && seconds > 0 ? [["texts-per-second", texts / seconds]] : [];
	const scalars = [...sets, ["learning-rate", line.learningRate], ...speed];
	return { step: line.step, time, scalars: Object.fromEntries(scalars) };
}

/** Returns the numbers of evaluations of earlier processes; their times are approximate. @param now in milliseconds */
export function pointsOfLines(lines: readonly MetricsLine[], now: number): TrackedPoint[] {
	const seconds = lines.at(-1)?.seconds ?? 0;
	return lines.map((line, i) => pointOfLine(line, lines[i - 1], now - 1000 * (seconds - line.seconds)));
}

/** Returns the test scores of a finished run, at the step of the weights that it kept. */
export function pointOfResult({ kept, loss, accuracy, macroF1 }: RunResult, time: number): TrackedPoint {
	const scalars = { "loss/test": loss.test, "accuracy/test": accuracy.test, "macro-f1/test": macroF1.test };
	return { step: kept.step, time, scalars };
}
