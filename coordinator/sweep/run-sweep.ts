import { join } from "node:path";
import { TailtuneError } from "../../shared/errors.ts";
import { pathExists } from "../../shared/files/regular-file.ts";
import { removeTemporaryFiles } from "../../shared/files/write-atomic.ts";
import type { SweepState, TrialResult } from "../events/sweep-schema.ts";
import { shellWord } from "../format.ts";
import type { RunResult } from "../run-folder/result.ts";
import { readRunResult } from "../run-folder/result-files.ts";
import { resultScore } from "../run-folder/result-scores.ts";
import { CONFIG_FILE, isFinishedRun } from "../run-folder/run-folder.ts";
import { resume, train } from "../training/train.ts";
import type { TrainOptions } from "../training/train-options.ts";
import { estimateSecondsLeft } from "./estimate-seconds-left.ts";
import { configOfTrial } from "./plan-trials.ts";
import { bestTrial, hasValues, rankSettings, spreadOf } from "./rank-settings.ts";
import { type SweepFolder, writeSweep } from "./sweep-folder.ts";

type TrialEventState = "begun" | "resumed" | "finished" | "failed";

/**
 * Runs the trials of a sweep one after another, and writes sweep.json after each of them. Finished trials are skipped,
 * and an interrupted one is resumed. A trial that diverges is left out of the ranking.
 * @throws TailtuneError of a trial that fails in another way, "diverged" if all trials do, "interrupted" if the user
 * stops the sweep, with the command that resumes it
 */
export async function runSweep(folder: SweepFolder, options: TrainOptions): Promise<SweepState> {
	const run = new Sweep(folder, options);
	return run.toEnd();
}

class Sweep {
	readonly #path: string;
	readonly #options: TrainOptions;
	#state: SweepState;

	constructor({ path, state }: SweepFolder, options: TrainOptions) {
		this.#path = path;
		this.#state = state;
		this.#options = options;
	}

	async toEnd(): Promise<SweepState> {
		const { events } = this.#options;
		await writeSweep(this.#path, this.#state);
		// The phases of the trials are parts of this one. Its end can't be estimated from the number of trials alone.
		const phase = events.phase("sweep", 0, "trials");
		for (const index of this.#state.trials.keys()) {
			await this.#runTrial(index);
			phase.advance(1);
		}
		phase.done();
		await this.#finish();
		return this.#state;
	}

	async #runTrial(index: number): Promise<void> {
		const trial = this.#state.trials[index] as TrialResult;
		if (trial.state === "failed") return this.#announce(index, "failed");
		try {
			const result = await this.#resultOf(index);
			const metric = this.#state.metric ?? result.kept.metric;
			const score = resultScore(metric, result, "validation");
			const { error: _, ...rest } = trial;
			this.#update(index, { ...rest, state: "finished", score, seconds: result.seconds.total }, metric);
			this.#announce(index, "finished");
		} catch (error) {
			if (!(error instanceof TailtuneError)) throw error;
			if (error.code === "interrupted") throw await this.#interruption(error);
			if (error.code !== "diverged") throw error;
			this.#update(index, { ...trial, state: "failed", error: error.message });
			this.#announce(index, "failed");
		}
		await writeSweep(this.#path, this.#state);
	}

	/** Reads the result of a finished trial, or makes its run. */
	async #resultOf(index: number): Promise<RunResult> {
		const trial = this.#state.trials[index] as TrialResult;
		const path = join(this.#path, trial.folder);
		if (await isFinishedRun(path)) return readRunResult(path);
		if (this.#options.interrupt.aborted) throw new TailtuneError("interrupted", "stopped before the sweep began");
		const isBegun = await pathExists(join(path, CONFIG_FILE), "disk");
		this.#announce(index, isBegun ? "resumed" : "begun");
		const { events } = this.#options;
		const { folder, result } = isBegun
			? await resume(path, this.#options)
			: await train(await this.#prepareConfig(trial), this.#options);
		events.emit({ event: "result", folder, ...result });
		return result;
	}

	/** A process that was killed while it made the folder may have left a temporary file. */
	async #prepareConfig(trial: TrialResult) {
		const config = configOfTrial(this.#path, this.#state, trial);
		const path = join(this.#path, trial.folder);
		if (await pathExists(path, "disk")) await removeTemporaryFiles(path);
		return config;
	}

	#update(index: number, trial: TrialResult, metric = this.#state.metric): void {
		const trials = this.#state.trials.with(index, trial);
		this.#state = { ...this.#state, metric, trials, ranking: metric ? rankSettings(trials, metric) : [] };
	}

	#announce(index: number, state: TrialEventState): void {
		const { trials, metric } = this.#state;
		const { folder, values, seed, fold, score, seconds, error } = trials[index] as TrialResult;
		this.#options.events.emit({
			event: "trial",
			number: index + 1,
			trials: trials.length,
			folder: join(this.#path, folder),
			values,
			seed,
			...(fold !== undefined && { fold }),
			state,
			metric,
			score,
			seconds,
			secondsLeft: estimateSecondsLeft(trials),
			...(error !== undefined && { error }),
		});
	}

	/** Reads the test scores of the best setting; those of others aren't read. */
	async #finish(): Promise<void> {
		const { trials, metric, ranking } = this.#state;
		const [first] = ranking;
		const [failed] = trials.filter(({ state }) => state === "failed");
		if (!metric || !first)
			throw new TailtuneError("diverged", `all trials failed; ${failed?.folder}: ${failed?.error}`);
		const own = trials.filter((trial) => trial.state === "finished" && hasValues(trial, first.values));
		const results = await Promise.all(own.map(({ folder }) => readRunResult(join(this.#path, folder))));
		const testOf = (field: "accuracy" | "macroF1" | "loss") => spreadOf(results.map((result) => result[field].test));
		const test = { accuracy: testOf("accuracy"), macroF1: testOf("macroF1"), loss: testOf("loss") };
		const best = { folder: bestTrial(own, metric)?.folder ?? "", test };
		const finishedAt = this.#state.finishedAt ?? new Date().toISOString();
		this.#state = { ...this.#state, best, finishedAt };
		await writeSweep(this.#path, this.#state);
	}

	/** Returns the error with the command that resumes the sweep; before its first run there is nothing to resume. */
	async #interruption(error: TailtuneError): Promise<TailtuneError> {
		const first = this.#state.trials[0]?.folder ?? "";
		if (!(await pathExists(join(this.#path, first), "disk"))) return error;
		return new TailtuneError("interrupted", `stopped; to resume: npx tailtune sweep --resume ${shellWord(this.#path)}`);
	}
}
