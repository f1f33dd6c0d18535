import { join } from "node:path";
import type { EpochStep } from "../plan/plan-epoch.ts";
import type { MetricsLine } from "../results/result.ts";
import { appendMetrics, METRICS_FILE } from "../results/result-files.ts";
import { type TrainingState, writeBest, writeCheckpoint } from "./checkpoint.ts";
import { evaluate } from "./evaluator.ts";
import { assertNotInterrupted } from "./interruption.ts";
import type { RunContext } from "./run-context.ts";
import type { Stopwatch } from "./stopwatch.ts";
import { Trainer } from "./trainer.ts";

/** How training ended. */
export interface TrainingOutcome {
	/** early: validation got no better for as many epochs as `--patience` allows. */
	readonly stopped: "finished" | "early";
	/** Milliseconds of each optimizer step of this process. */
	readonly stepMs: readonly number[];
}

/** Trains epoch by epoch from where the state stands, and leaves it where training ended. */
export async function runEpochs(run: RunContext, state: TrainingState, watch: Stopwatch): Promise<TrainingOutcome> {
	return new Epochs(run, state, watch).run();
}

class Epochs {
	readonly #run: RunContext;
	readonly #state: TrainingState;
	readonly #watch: Stopwatch;
	readonly #trainer: Trainer;
	readonly #stepsPerEpoch: number;

	constructor(run: RunContext, state: TrainingState, watch: Stopwatch) {
		this.#run = run;
		this.#state = state;
		this.#watch = watch;
		this.#trainer = new Trainer(run, state);
		this.#stepsPerEpoch = this.#trainer.planEpoch(0).length;
	}

	async run(): Promise<TrainingOutcome> {
		const { config, terminal } = this.#run;
		const { progress } = this.#state;
		const bar = terminal.phase("training", config.epochs * this.#stepsPerEpoch, "steps", progress.step);
		while (progress.epoch < config.epochs && !this.#isStalled()) {
			const done = progress.step - progress.epoch * this.#stepsPerEpoch;
			await this.#steps(this.#trainer.planEpoch(progress.epoch).slice(done), () => bar.advance(1));
			await this.#endEpoch();
		}
		bar.done();
		return { stopped: progress.epoch < config.epochs ? "early" : "finished", stepMs: this.#trainer.stepMs };
	}

	async #steps(steps: readonly EpochStep[], onStep: () => void): Promise<void> {
		const { config } = this.#run;
		const { progress } = this.#state;
		for (const [index, step] of steps.entries()) {
			if (this.#isLookDue()) await this.#measure("step");
			await this.#watch.time("training", () => this.#trainer.step(step));
			onStep();
			const isLast = index === steps.length - 1;
			if (this.#run.interrupt.aborted || (progress.step % config.checkpointEvery === 0 && !isLast)) {
				await this.#checkpoint();
				assertNotInterrupted(this.#run);
			}
		}
	}

	async #endEpoch(): Promise<void> {
		const { config, folder } = this.#run;
		const { progress, parameters } = this.#state;
		progress.epoch++;
		const { validation } = await this.#measure("epoch");
		const { best } = progress;
		const isBetter =
			!best ||
			validation.accuracy > best.accuracy ||
			(validation.accuracy === best.accuracy && validation.loss < best.loss);
		if (isBetter) {
			progress.best = { epoch: progress.epoch, step: progress.step, ...validation };
			if (config.keep === "best") {
				this.#state.best = parameters.slice();
				await writeBest(folder, this.#state.best);
			}
			await this.#run.onBetter?.(parameters);
		}
		await this.#checkpoint();
	}

	// The end of an epoch is measured by itself, so that each version of the parameters is evaluated once.
	#isLookDue(): boolean {
		const { step } = this.#state.progress;
		return step === 0 || (step % this.#run.config.evalEvery === 0 && step % this.#stepsPerEpoch !== 0);
	}

	/** Whether validation has not become better for as many epochs as `--patience` allows. */
	#isStalled(): boolean {
		const { patience } = this.#run.config;
		const { epoch, best } = this.#state.progress;
		return patience > 0 && best !== undefined && epoch - best.epoch >= patience;
	}

	async #measure(kind: MetricsLine["kind"]): Promise<MetricsLine> {
		const { config, texts, folder, terminal } = this.#run;
		const { progress, parameters } = this.#state;
		const sampled = kind === "step" || config.epochEval === "batches";
		const count = sampled ? config.evalBatches * config.batch : Number.POSITIVE_INFINITY;
		const train = texts.train.slice(0, count);
		const validation = texts.validation.slice(0, count);
		const evaluation = await this.#watch.time("evaluation", () =>
			evaluate(this.#run, { version: progress.step, parameters }, [...train, ...validation]),
		);
		const line: MetricsLine = {
			kind,
			step: progress.step,
			epoch: progress.epoch,
			examplesSeen: progress.examplesSeen,
			seconds: this.#watch.total,
			train: evaluation.score(train),
			validation: evaluation.score(validation),
		};
		await appendMetrics(join(folder, METRICS_FILE), line);
		progress.metricsLines++;
		if (kind === "epoch") terminal.epoch(line);
		return line;
	}

	async #checkpoint(): Promise<void> {
		this.#state.progress.seconds = this.#watch.seconds;
		await writeCheckpoint(this.#run.folder, this.#state);
	}
}
