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

/** A finished `tailtune train`: measured from outside, and its own result. */
export interface MeasuredRun extends Measured {
	readonly result: RunResult;
}

/** Compute threads of each side. */
export const THREADS = countPhysicalCores();

/** Name and flags of runs on native TensorFlow. */
export const NATIVE = "native TensorFlow";
export const NATIVE_FLAGS = ["--engine", "tfjs", "--backend", "tensorflow"] as const;

/** Returns whether native TensorFlow is installed (npm run native). */
export async function hasNative(): Promise<boolean> {
	return (await inspectEngines()).some(({ backend, usable }) => backend === "tensorflow" && usable);
}

/** Calls `work` with a new folder, and removes the folder afterwards. */
export async function withFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
	const folder = await mkdtemp(join(tmpdir(), "tailtune-bench-"));
	try {
		return await work(folder);
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

/** Trains in a separate process. @param folder for the run and its cache; a new folder means an empty cache */
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
			"--long",
			"cut",
			"--balance",
			"none",
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
