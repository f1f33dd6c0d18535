import { join } from "node:path";
import { TailtuneError } from "../../shared/errors.ts";
import type { Metric } from "../metrics/best-score.ts";
import type { EpochStep } from "../plan/plan-epoch.ts";
import { checkAudit } from "../run-folder/audit.ts";
import { findBestEpoch } from "../run-folder/find-best-epoch.ts";
import { AUDIT_FILE, METRICS_FILE, readAudit, readMetrics } from "../run-folder/result-files.ts";
import { CHECKPOINT_FILE } from "../run-folder/run-folder.ts";
import { RECOVERY_HINT, type TrainingProgress } from "./checkpoint.ts";
import type { RunContext } from "./run-context.ts";
import { countRunSteps, planRunEpoch } from "./trainer.ts";

/**
 * Checks, before an interrupted run is resumed, that its checkpoint, metrics.jsonl and audit.jsonl agree with each
 * other and with the plan. Lines written after the checkpoint are ignored.
 * @throws TailtuneError "data" or "protocol" that names the file, the found and the expected values
 */
export async function checkProgress(
	folder: string,
	progress: TrainingProgress,
	run: Pick<RunContext, "config" | "texts" | "tail">,
): Promise<void> {
	const { step, epoch } = progress;
	const stepsPerEpoch = countRunSteps(run);
	const inEpoch = step - epoch * stepsPerEpoch;
	const most = epoch < run.config.epochs ? stepsPerEpoch : 0;
	if (epoch > run.config.epochs || inEpoch < 0 || inEpoch > most) {
		const found = `found step ${step} after ${epoch} epochs`;
		throw refusal(join(folder, CHECKPOINT_FILE), `${found}, expected ${stepsPerEpoch} steps in each`);
	}
	const epochs = Array.from({ length: inEpoch > 0 ? epoch + 1 : epoch }, (_, index) => planRunEpoch(run, index));
	await checkSteps(folder, progress, epochs.flat().slice(0, step), run.texts.countTexts);
	await checkMetrics(folder, progress, stepsPerEpoch, run.config.metric);
}

async function checkSteps(
	folder: string,
	{ step, examplesSeen }: TrainingProgress,
	planned: EpochStep[],
	countTexts: RunContext["texts"]["countTexts"],
): Promise<void> {
	const file = join(folder, AUDIT_FILE);
	const lines = await readAudit(folder, step);
	if (lines.length < step) throw refusal(file, `found ${lines.length} lines, expected one for each of ${step} steps`);
	const { examples } = checkAudit(lines, planned, file, countTexts);
	if (examples !== examplesSeen) {
		throw refusal(join(folder, CHECKPOINT_FILE), `found ${examplesSeen} texts learned from, expected ${examples}`);
	}
}

async function checkMetrics(
	folder: string,
	progress: TrainingProgress,
	stepsPerEpoch: number,
	metric: Metric,
): Promise<void> {
	const file = join(folder, METRICS_FILE);
	const lines = await readMetrics(folder, progress.metricsLines);
	if (lines.length < progress.metricsLines) {
		throw refusal(file, `found ${lines.length} lines, expected ${progress.metricsLines} as in ${CHECKPOINT_FILE}`);
	}
	const epochs = lines.filter(({ kind }) => kind === "epoch");
	const ends = epochs.map(({ epoch, step }) => [epoch, step]);
	const planned = Array.from({ length: progress.epoch }, (_, index) => [index + 1, (index + 1) * stepsPerEpoch]);
	if (JSON.stringify(ends) !== JSON.stringify(planned)) {
		throw refusal(
			file,
			`found epochs ending [epoch, step] ${JSON.stringify(ends)}, expected ${JSON.stringify(planned)}`,
		);
	}
	const late = lines.find(({ step }, index) => step > (lines[index + 1]?.step ?? progress.step));
	if (late) throw refusal(file, `found step ${late.step} before a smaller one, expected them in order`);
	const line = findBestEpoch(epochs, metric);
	const found = line && { epoch: line.epoch, step: line.step, ...line.validation };
	const [best, expected] = [progress.best, found].map(describeBest);
	if (best !== expected) throw refusal(file, `found the best epoch ${expected}, ${CHECKPOINT_FILE} has ${best}`);
}

function describeBest(best: TrainingProgress["best"]): string {
	if (!best) return "none";
	const { epoch, step, loss, accuracy, balancedAccuracy, macroF1, mcc } = best;
	return JSON.stringify({ epoch, step, loss, accuracy, balancedAccuracy, macroF1, mcc });
}

function refusal(file: string, found: string): TailtuneError {
	return new TailtuneError("data", `${file}: ${found}; ${RECOVERY_HINT}`);
}
