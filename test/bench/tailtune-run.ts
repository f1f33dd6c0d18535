import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunResult } from "../../coordinator/run-folder/result.ts";
import { readRunResult } from "../../coordinator/run-folder/result-files.ts";
import { countPhysicalCores } from "../../shared/vectors/physical-cores.ts";
import { inspectEngines } from "../../worker/engine/inspect-engines.ts";
import { COMMAND } from "../cli/tailtune.ts";
import type { BenchTexts } from "./bench-texts.ts";
import { type Measured, runMeasured } from "./measured-process.ts";

/** A finished `tailtune train`, from the outside and as it tells itself. */
export interface MeasuredRun extends Measured {
	readonly result: RunResult;
}

/** Compute threads of every side. */
export const THREADS = countPhysicalCores();

/** A side that computes on native TensorFlow: its name, and the flags of such a run. */
export const NATIVE = "native TensorFlow";
export const NATIVE_FLAGS = ["--engine", "tfjs", "--backend", "tensorflow"] as const;

/** Whether there is native TensorFlow here (npm run native). */
export async function hasNative(): Promise<boolean> {
	return (await inspectEngines()).some(({ backend, usable }) => backend === "tensorflow" && usable);
}

/** A folder that goes when the work is done, whatever comes of it. */
export async function withFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
	const folder = await mkdtemp(join(tmpdir(), "tailtune-bench-"));
	try {
		return await work(folder);
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

/** Trains in a process of its own. @param folder for the run, and for what it caches: a new one starts from nothing */
export async function measureRun(
	folder: string,
	texts: BenchTexts,
	model: string,
	flags: readonly string[] = [],
): Promise<MeasuredRun> {
	await mkdir(folder, { recursive: true });
	const out = await mkdtemp(join(folder, "run-"));
	const sets = ["--train", "train", "--validation", "val", "--test", "test"].map((word) =>
		word.startsWith("--") ? word : join(texts.folder, `${word}.jsonl`),
	);
	const measured = await runMeasured({
		file: process.execPath,
		args: [
			COMMAND,
			"train",
			...sets,
			"--model",
			model,
			"--max-tokens",
			`${texts.longestTokens}`,
			"--balance",
			"false",
			"--threads",
			`${THREADS}`,
			"--out",
			out,
			"--json",
			...flags,
		],
		env: { XDG_CACHE_HOME: join(folder, "cache"), HF_ENDPOINT: "http://127.0.0.1:9" },
	});
	return { ...measured, result: await readRunResult(out) };
}
