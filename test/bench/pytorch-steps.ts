import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { BenchTexts } from "./bench-texts.ts";
import { runMeasured } from "./measured-process.ts";
import { THREADS } from "./tailtune-run.ts";

const SCRIPT = fileURLToPath(new URL("steps.py", import.meta.url));

const reportSchema = z.object({ step_ms: z.object({ median: z.number() }) });

/** Trainable parameters, batch size and number of steps of a measurement. */
export interface PytorchSteps {
	readonly trainable: string;
	readonly batch: number;
	readonly steps: number;
}

/**
 * Measures the median milliseconds of a step in PyTorch, on GPT-2 small with random weights.
 * @throws Error if that Python has no torch or transformers
 */
export async function measurePytorchStep(python: string, texts: BenchTexts, steps: PytorchSteps): Promise<number> {
	const settings = Object.entries({ ...steps, threads: THREADS }).flatMap(([flag, value]) => [`--${flag}`, `${value}`]);
	const args = [SCRIPT, "--data", join(texts.folder, "train.jsonl"), ...settings];
	const { stdout } = await runMeasured({ file: python, args });
	return reportSchema.parse(JSON.parse(stdout)).step_ms.median;
}
