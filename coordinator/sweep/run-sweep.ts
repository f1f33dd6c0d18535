import { join } from "node:path";
import { TailtuneError } from "../../shared/errors.ts";
import { pathExists } from "../../shared/files/regular-file.ts";
import { removeTemporaryFiles } from "../../shared/files/write-atomic.ts";
import type { SweepState, TrialResult } from "../events/sweep-schema.ts";
import { hasValues } from "../events/sweep-settings.ts";
import { formatEpochs, shellWord } from "../format.ts";
import { writeSweepReport } from "../report/write-sweep-report.ts";
import type { RunResult } from "../run-folder/result.ts";
import { readRunResult } from "../run-folder/result-files.ts";
import { CONFIG_FILE, isFinishedRun } from "../run-folder/run-folder.ts";
import { PausedRun } from "../training/interruption.ts";
import { resume, train } from "../training/train.ts";
import type { TrainOptions } from "../training/train-options.ts";
import { estimateSecondsLeft } from "./estimate-seconds-left.ts";
import { measureFinishedTrial, measurePausedTrial } from "./measure-trial.ts";
import { configOfTrial } from "./plan-trials.ts";
import { bestTrial, rankSettings, spreadOf } from "./rank-settings.ts";
import { type SweepFolder, writeSweep } from "./sweep-folder.ts";

/** Settings by which the same files give other texts. */
const READING = ["textColumn", "labelColumn", "encoding", "delimiter"] as const;

type TrialEventState = "begun" | "resumed" | "paused" | "finished" | "failed";

/**
 * Runs the trials of a sweep one after another, and writes sweep.json after each of them. Finished trials are skipped,
 * and an interrupted one is resumed. A trial that diverges is left out of the ranking. With successive halving, a trial
 * is paused with a checkpoint and later resumed, so that the trials that are finished are those of a full sweep.
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
		const rungs = this.#state.halving?.rungs ?? [{ epochs: undefined }];
		const first = Math.max(...this.#state.trials.map((trial) => trial.rung ?? 1)) - 1;
		for (let rung = first; rung < rungs.length; rung++) {
			for (const index of this.#state.trials.keys()) {
				await this.#runTrial(index, rung, rungs[rung]?.epochs);
				// With successive halving, a trial is continued on each rung that it reaches.
				if (rung === first) phase.advance(1);
			}
			await this.#endRung(rung);
		}
		phase.done();
		await this.#finish();
		return this.#state;
	}

	/** @param until epochs up to which it is trained; default: to its end */
	async #runTrial(index: number, rung: number, until: number | undefined): Promise<void> {
		const trial = this.#state.trials[index] as TrialResult;
		const isEnded = trial.state === "failed" || trial.state === "finished";
		if (trial.state === "stopped" || (trial.epochs ?? 0) >= (until ?? 1) || (rung > 0 && isEnded)) return;
		if (trial.state === "failed") return this.#announce(index, "failed");
		const path = join(this.#path, trial.folder);
		const { error: _, ...rest } = trial;
		try {
			const result = await this.#resultOf(index, until);
			const { metric, ...measures } = await measureFinishedTrial(path, result, this.#state.metric ?? undefined);
			const epochs = until === undefined ? {} : { epochs: Number(this.#state.settings.epochs) };
			this.#update(index, { ...rest, ...epochs, state: "finished", ...measures }, metric);
			this.#announce(index, "finished");
		} catch (error) {
			if (!(error instanceof TailtuneError)) throw error;
			if (error instanceof PausedRun) {
				const { metric, ...measures } = await measurePausedTrial(path, this.#state.metric);
				this.#update(index, { ...rest, epochs: until, state: "paused", ...measures }, metric);
				this.#announce(index, "paused");
			} else if (error.code === "diverged") {
				this.#update(index, { ...rest, state: "failed", score: null, error: error.message });
				this.#announce(index, "failed");
			} else throw error.code === "interrupted" ? await this.#interruption(error) : error;
		}
		await writeSweep(this.#path, this.#state);
	}

	/** With successive halving, stops the settings that don't reach the next rung. */
	async #endRung(rung: number): Promise<void> {
		const { halving, metric, trials } = this.#state;
		const next = halving?.rungs[rung + 1];
		if (!halving || !next || !metric) return;
		const compared = trials.filter((trial) => trial.rung === rung + 1);
		const ranking = rankSettings({ trials: compared, halving }, metric);
		const kept = ranking.slice(0, next.settings);
		const moved = trials.map((trial): TrialResult => {
			if (trial.rung !== rung + 1 || trial.state === "failed") return trial;
			if (kept.some(({ values }) => hasValues(trial, values))) return { ...trial, rung: rung + 2 };
			return trial.state === "paused" ? { ...trial, state: "stopped" } : trial;
		});
		this.#state = { ...this.#state, trials: moved, ranking: rankSettings({ trials: moved, halving }, metric) };
		await writeSweep(this.#path, this.#state);
		const epochs = formatEpochs(halving.rungs[rung]?.epochs ?? 0);
		this.#options.events.line(`${kept.length} of ${ranking.length} settings continue after ${epochs}`);
	}

	/** Reads the result of a finished trial, or makes its run. */
	async #resultOf(index: number, pauseAfter: number | undefined): Promise<RunResult> {
		const trial = this.#state.trials[index] as TrialResult;
		const path = join(this.#path, trial.folder);
		if (await isFinishedRun(path)) return readRunResult(path);
		if (this.#options.interrupt.aborted) throw new TailtuneError("interrupted", "stopped before the sweep began");
		const isBegun = await pathExists(join(path, CONFIG_FILE), "disk");
		this.#announce(index, isBegun ? "resumed" : "begun");
		const { events } = this.#options;
		const options: TrainOptions = { ...this.#options, pauseAfter, onTexts: (hash) => this.#checkTexts(trial, hash) };
		const { folder, result } = isBegun
			? await resume(path, options)
			: await train(await this.#prepareConfig(trial), options);
		events.emit({ event: "result", folder, ...result });
		return result;
	}

	/** Scores on different texts can't be compared, unless it is a setting how the texts are read. */
	#checkTexts({ folder }: TrialResult, hash: string): void {
		const { settings, varied, texts } = this.#state;
		if (READING.some((key) => varied[key] !== undefined)) return;
		this.#state = { ...this.#state, texts: texts ?? hash };
		if (hash === this.#state.texts) return;
		const found = `${settings.data ?? settings.train}: not the texts of the trials before ${folder}`;
		throw new TailtuneError("data", `${found}; put those there again, or start a new sweep with another --out`);
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
		this.#state = {
			...this.#state,
			metric,
			trials,
			ranking: metric ? rankSettings({ ...this.#state, trials }, metric) : [],
		};
	}

	#announce(index: number, state: TrialEventState): void {
		const { trials, metric } = this.#state;
		const { folder, values, seed, fold, score, seconds, epochs, error } = trials[index] as TrialResult;
		this.#options.events.emit({
			event: "trial",
			number: index + 1,
			trials: trials.length,
			folder: join(this.#path, folder),
			values,
			seed,
			...(fold !== undefined && { fold }),
			state,
			...(state === "paused" && { epochs }),
			metric,
			score,
			seconds,
			secondsLeft: estimateSecondsLeft(this.#state),
			...(error !== undefined && { error }),
		});
	}

	/** Reads the test scores of the best setting; those of others aren't read. */
	async #finish(): Promise<void> {
		const { trials, metric, ranking } = this.#state;
		const isFinished = (trial: TrialResult) => trial.state === "finished";
		const first = ranking.find(({ values }) => trials.some((trial) => isFinished(trial) && hasValues(trial, values)));
		const [failed] = trials.filter(({ state }) => state === "failed");
		if (!metric || !first)
			throw new TailtuneError("diverged", `no trial finished; ${failed?.folder}: ${failed?.error}`);
		const own = trials.filter((trial) => isFinished(trial) && hasValues(trial, first.values));
		const results = await Promise.all(own.map(({ folder }) => readRunResult(join(this.#path, folder))));
		const testOf = (field: "accuracy" | "macroF1" | "loss") => spreadOf(results.map((result) => result[field].test));
		const test = { accuracy: testOf("accuracy"), macroF1: testOf("macroF1"), loss: testOf("loss") };
		const best = { folder: bestTrial(own, metric)?.folder ?? "", test };
		const finishedAt = this.#state.finishedAt ?? new Date().toISOString();
		this.#state = { ...this.#state, best, finishedAt };
		await writeSweep(this.#path, this.#state);
		await writeSweepReport(this.#path, this.#state, metric, best.folder);
	}

	/** Returns the error with the command that resumes the sweep; before its first run there is nothing to resume. */
	async #interruption(error: TailtuneError): Promise<TailtuneError> {
		const first = this.#state.trials[0]?.folder ?? "";
		if (!(await pathExists(join(this.#path, first), "disk"))) return error;
		return new TailtuneError("interrupted", `stopped; to resume: npx tailtune sweep --resume ${shellWord(this.#path)}`);
	}
}
