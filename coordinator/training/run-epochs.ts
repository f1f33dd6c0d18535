import { join } from "node:path";
import { TailtuneError } from "../../shared/errors.ts";
import { isBetterScore } from "../metrics/best-score.ts";
import type { EpochStep } from "../plan/plan-epoch.ts";
import { type AuditTotals, checkAudit } from "../run-folder/audit.ts";
import type { MetricsLine } from "../run-folder/result.ts";
import { AUDIT_FILE, appendAudit, appendMetrics, METRICS_FILE, readAudit } from "../run-folder/result-files.ts";
import type { TrainingState } from "./checkpoint.ts";
import { CheckpointWriter } from "./checkpoint-writer.ts";
import { evaluate } from "./evaluator.ts";
import { createInterruption, PausedRun } from "./interruption.ts";
import type { RunContext } from "./run-context.ts";
import type { Stopwatch } from "./stopwatch.ts";
import { countRunSteps, Trainer } from "./trainer.ts";

/** How training ended. */
export interface TrainingOutcome {
	/** "early": the validation score didn't improve during `--patience` epochs. */
	readonly stopped: "finished" | "early";
	/** Milliseconds of each optimizer step of this process. */
	readonly stepMs: readonly number[];
	/** Totals of all steps, including those of earlier processes. */
	readonly audit: AuditTotals;
}

/** Trains the remaining epochs and updates the state. */
export async function runEpochs(run: RunContext, state: TrainingState, watch: Stopwatch): Promise<TrainingOutcome> {
	return new Epochs(run, state, watch).run();
}

class Epochs {
	readonly #run: RunContext;
	readonly #state: TrainingState;
	readonly #watch: Stopwatch;
	readonly #trainer: Trainer;
	readonly #stepsPerEpoch: number;
	readonly #checkpoints: CheckpointWriter;
	/** Whether the best epoch's parameters aren't in a file yet. */
	#isBestNew = false;
	/** The step of the last checkpoint of this process. */
	#savedStep: number | undefined;

	constructor(run: RunContext, state: TrainingState, watch: Stopwatch) {
		this.#run = run;
		this.#state = state;
		this.#watch = watch;
		const checkpoints = new CheckpointWriter(run.folder);
		this.#checkpoints = checkpoints;
		this.#trainer = new Trainer(run, state, () => checkpoints.waitUntilCopied());
		this.#stepsPerEpoch = countRunSteps(run);
	}

	async run(): Promise<TrainingOutcome> {
		try {
			const stopped = await this.#trainEpochs();
			await this.#checkpoints.waitUntilWritten();
			await appendAudit(this.#run.folder, this.#trainer.audit.take());
			return { stopped, stepMs: this.#trainer.stepMs, audit: await this.#checkAudit() };
		} catch (error) {
			await this.#checkpoints.waitUntilWritten().catch(() => {});
			throw error;
		}
	}

	async #trainEpochs(): Promise<TrainingOutcome["stopped"]> {
		const { config, events, pauseAfter = config.epochs } = this.#run;
		const { progress } = this.#state;
		const bar = events.phase("training", config.epochs * this.#stepsPerEpoch, "steps", progress.step);
		const earlier = this.#watch.seconds.training;
		const end = () => bar.done(this.#watch.seconds.training - earlier);
		while (progress.epoch < config.epochs && !this.#isStalled()) {
			if (progress.epoch >= pauseAfter) {
				end();
				await this.#stop(new PausedRun());
			}
			const done = progress.step - progress.epoch * this.#stepsPerEpoch;
			await this.#trainSteps(this.#trainer.planEpoch(progress.epoch).slice(done), () => bar.advance(1));
			await this.#endEpoch();
		}
		end();
		return progress.epoch < config.epochs ? "early" : "finished";
	}

	/** Checks the audit against the plan. */
	async #checkAudit(): Promise<AuditTotals> {
		const { folder, texts } = this.#run;
		const { epoch, examplesSeen } = this.#state.progress;
		const planned = Array.from({ length: epoch }, (_, done) => this.#trainer.planEpoch(done)).flat();
		const file = join(folder, AUDIT_FILE);
		const totals = checkAudit(await readAudit(folder), planned, file, texts.countTexts);
		if (totals.examples === examplesSeen) return totals;
		throw new TailtuneError("protocol", `${file}: ${totals.examples} texts counted, expected ${examplesSeen}`);
	}

	async #trainSteps(steps: readonly EpochStep[], onStep: () => void): Promise<void> {
		const { checkpointEvery } = this.#run.config;
		for (const [index, step] of steps.entries()) {
			if (this.#isEvaluationDue()) await this.#evaluate("step");
			const loss = await this.#watch.time("training", () => this.#trainer.step(step));
			onStep();
			this.#reportStep(loss);
			const isLast = index === steps.length - 1;
			if (this.#run.interrupt.aborted) await this.#stop();
			if (this.#isDue(checkpointEvery) && !isLast) await this.#checkpoint();
		}
	}

	#reportStep(loss: number): void {
		const { events } = this.#run;
		if (!events.isDetailed) return;
		const { step, examplesSeen } = this.#state.progress;
		events.emitDetail({ event: "training-step", step, examplesSeen, seconds: this.#watch.total, loss });
	}

	async #endEpoch(): Promise<void> {
		const { config } = this.#run;
		const { progress, parameters } = this.#state;
		const { validation } = await this.#evaluate("epoch");
		progress.epoch++;
		const isBetter = isBetterScore(config.metric, progress.best, validation);
		if (isBetter) {
			progress.best = { epoch: progress.epoch, step: progress.step, ...validation };
		}
		const isKept = isBetter && config.keep === "best";
		if (isKept) {
			await this.#checkpoints.waitUntilWritten();
			this.#state.best ??= new Float32Array(parameters.length);
			this.#state.best.set(parameters);
			this.#isBestNew = true;
		}
		if (this.#isDue(config.checkpointEvery) || this.#checkpoints.isAffordable) await this.#checkpoint();
		if (isBetter) await this.#run.onBetter?.(parameters);
	}

	/**
	 * The end of an epoch is evaluated separately, so the same parameters aren't evaluated again before the next step.
	 */
	#isEvaluationDue(): boolean {
		const { step } = this.#state.progress;
		return step === 0 || (this.#isDue(this.#run.config.evalEvery) && step % this.#stepsPerEpoch !== 0);
	}

	/** Whether the number of finished steps is a multiple of `every`. */
	#isDue(every: number): boolean {
		return this.#state.progress.step % every === 0;
	}

	/** Whether the validation score hasn't improved during `--patience` epochs. */
	#isStalled(): boolean {
		const { patience } = this.#run.config;
		const { epoch, best } = this.#state.progress;
		return patience > 0 && best !== undefined && epoch - best.epoch >= patience;
	}

	async #evaluate(kind: MetricsLine["kind"]): Promise<MetricsLine> {
		await this.#watch.time("training", () => this.#trainer.settle());
		const { config, texts, folder, events } = this.#run;
		const { progress, updatable: state } = this.#state;
		const sampled = kind === "step" || config.epochEval === "batches";
		const count = sampled ? config.evalBatches * config.batch : Number.POSITIVE_INFINITY;
		const train = texts.train.slice(0, count);
		const validation = texts.validation.slice(0, count);
		const evaluation = await this.#watch
			.time("evaluation", () => evaluate(this.#run, { version: progress.step, state }, [...train, ...validation]))
			.catch((error) => this.#stop(error));
		const line: MetricsLine = {
			kind,
			step: progress.step,
			epoch: progress.epoch + (kind === "epoch" ? 1 : 0),
			examplesSeen: progress.examplesSeen,
			seconds: this.#watch.total,
			learningRate: this.#trainer.learningRate(Math.max(1, progress.step)),
			train: evaluation.score(train),
			validation: evaluation.score(validation),
		};
		await appendMetrics(join(folder, METRICS_FILE), line);
		progress.metricsLines++;
		events.emit({ event: kind, ...line });
		return line;
	}

	/** Ends the run with an error; if the user stopped it, after writing a checkpoint from which it can be resumed. */
	async #stop(error: unknown = createInterruption(this.#run.folder)): Promise<never> {
		if (error instanceof TailtuneError && error.code === "interrupted") {
			// Nothing has changed since a checkpoint at the end of the epoch.
			const isSaved = error instanceof PausedRun && this.#savedStep === this.#state.progress.step;
			if (!isSaved) await this.#checkpoint();
			await this.#checkpoints.waitUntilWritten();
		}
		throw error;
	}

	async #checkpoint(): Promise<void> {
		await this.#trainer.settle();
		this.#state.progress.seconds = this.#watch.seconds;
		const best = this.#isBestNew ? this.#state.best : undefined;
		this.#isBestNew = false;
		await this.#checkpoints.begin(this.#state, { audit: this.#trainer.audit.take(), best });
		this.#savedStep = this.#state.progress.step;
	}
}
