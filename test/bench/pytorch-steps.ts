import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { BenchTexts } from "./bench-texts.ts";
import { runMeasured } from "./measured-process.ts";
import { THREADS } from "./tailtune-run.ts";

const SCRIPT = fileURLToPath(new URL("steps.py", import.meta.url));

const reportSchema = z.object({ step_ms: z.object({ median: z.number() }) });

/** What is trained, and how much of it is measured. */
export interface PytorchSteps {
	readonly trainable: string;
	readonly batch: number;
	readonly steps: number;
}

/**
 * Milliseconds of a step in PyTorch, median, on GPT-2 small with random weights.
 * @throws Error where that Python can't: it needs torch and transformers
 */
export async function pytorchStepMs(python: string, texts: BenchTexts, steps: PytorchSteps): Promise<number> {
	const settings = Object.entries({ ...steps, threads: THREADS }).flatMap(([flag, value]) => [`--${flag}`, `${value}`]);
	const args = [SCRIPT, "--data", join(texts.folder, "train.jsonl"), ...settings];
	const { stdout } = await runMeasured({ file: python, args });
	return reportSchema.parse(JSON.parse(stdout)).step_ms.median;
}
