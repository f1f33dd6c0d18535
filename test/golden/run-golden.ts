import { TailtuneError } from "../../shared/errors.ts";
import type { EngineChoice } from "../../shared/worker-port/engine-choice.ts";
import { inspectEngines } from "../../worker/engine/inspect-engines.ts";
import { openEngines } from "../../worker/engine/open-engines.ts";
import { checkCase, type GoldenEngine } from "./check-golden.ts";
import type { GoldenFolder } from "./golden-folder.ts";
import type { GoldenCase } from "./golden-format.ts";
import { type Measurement, usedShare } from "./measure.ts";

/** Engines and backends to check. Unset: all. */
export interface EngineFilter {
	readonly engine?: string | undefined;
	readonly backend?: string | undefined;
}

/** The outcome of one case on one engine. */
export interface CaseOutcome {
	readonly passed: boolean;
	readonly comparisons: number;
	/** The comparison that came closest to its limit; undefined if the case ended with an error. */
	readonly worst: Measurement | undefined;
	/** Summary in one line. */
	readonly line: string;
}

/** Returns every usable engine and backend that matches the filter. @throws TailtuneError "engine" if none does */
export async function findEngines({ engine, backend }: EngineFilter = {}): Promise<GoldenEngine[]> {
	const reports = await inspectEngines();
	const wanted = reports.filter(
		(one) => (engine ?? one.engine) === one.engine && (backend ?? one.backend) === one.backend,
	);
	const usable = wanted.filter((one) => one.usable);
	if (usable.length === 0) {
		const found = wanted.map(({ detail }) => detail).join("; ") || "no such engine";
		throw new TailtuneError("engine", `${engine ?? "any engine"} ${backend ?? ""}: ${found}`);
	}
	return usable.map((one) => {
		const choice = {
			engine: one.engine,
			backend: one.engine === "onnx" && one.backend === "cpu" ? "auto" : one.backend,
			threads: 1,
		};
		return {
			name: `${one.engine} ${one.backend}`,
			open: (model, spec) => openEngines(model, spec, choice as EngineChoice),
		};
	});
}

/** Checks one case on one engine; an error counts as a failed case. */
export async function runCase(folder: GoldenFolder, golden: GoldenCase, engine: GoldenEngine): Promise<CaseOutcome> {
	const title = `${engine.name.padEnd(15)} ${golden.name.padEnd(24)}`;
	try {
		const measured = await checkCase(folder, golden, engine);
		const worst = measured.reduce((most, one) => (usedShare(one) > usedShare(most) ? one : most));
		const passed = usedShare(worst) <= 1;
		const line = `${passed ? "ok  " : "FAIL"} ${title} ${measured.length} comparisons, worst ${describe(worst)}`;
		return { passed, comparisons: measured.length, worst, line };
	} catch (error) {
		return { passed: false, comparisons: 0, worst: undefined, line: `FAIL ${title} ${(error as Error).message}` };
	}
}

/**
 * Checks every case of a folder on every engine.
 * @param print gets one line per case and a last one with counts and the worst difference
 * @returns whether all cases passed
 */
export async function runGolden(
	folder: GoldenFolder,
	engines: readonly GoldenEngine[],
	print: (line: string) => void,
): Promise<boolean> {
	const outcomes: CaseOutcome[] = [];
	for (const engine of engines) {
		for (const golden of folder.set.cases) {
			const outcome = await runCase(folder, golden, engine);
			outcomes.push(outcome);
			print(outcome.line);
		}
	}
	const passed = outcomes.filter((outcome) => outcome.passed).length;
	const comparisons = outcomes.reduce((sum, outcome) => sum + outcome.comparisons, 0);
	const worst = outcomes.flatMap((outcome) => outcome.worst ?? []).sort((a, b) => usedShare(b) - usedShare(a))[0];
	const cases = `${folder.set.cases.length} cases on ${engines.length} engines`;
	print(
		`${passed} of ${outcomes.length} passed (${cases}), ${comparisons} comparisons, worst ${worst ? describe(worst) : "none"}`,
	);
	return passed === outcomes.length;
}

function describe(one: Measurement): string {
	const { what, found, allowed } = one;
	return `${found.toExponential(1)}, ${(100 * usedShare(one)).toFixed(0)} % of the allowed ${allowed.toExponential(1)}: ${what}`;
}
