import { join } from "node:path";
import { TailtuneError } from "../../shared/errors.ts";
import { pathExists } from "../../shared/files/regular-file.ts";
import { removeTemporaryFiles } from "../../shared/files/write-atomic.ts";
import { RunEvents } from "../events/run-events.ts";
import type { RunEvent } from "../events/schemas.ts";
import type { SweepState, TrialResult } from "../events/sweep-schema.ts";
import { hasEnded, hasValues } from "../events/sweep-settings.ts";
import { formatEpochs, shellWord } from "../format.ts";
import { writeSweepReport } from "../report/write-sweep-report.ts";
import { readRunResult } from "../run-folder/result-files.ts";
import { CONFIG_FILE, isFinishedRun } from "../run-folder/run-folder.ts";
import { PausedRun } from "../training/interruption.ts";
import type { TrainOptions } from "../training/train-options.ts";
import { estimateSecondsLeft } from "./estimate-seconds-left.ts";
import { measureFinishedTrial, measurePausedTrial } from "./measure-trial.ts";
import { configOfTrial } from "./plan-trials.ts";
import { bestTrial, rankSettings, spreadOf } from "./rank-settings.ts";
import { type SweepFolder, writeSweep } from "./sweep-folder.ts";
import type { RunTrial } from "./trial-job.ts";
import { LostProcess } from "./trial-processes.ts";

/** Settings by which the same files give other texts. */
const READING = ["textColumn", "labelColumn", "encoding", "delimiter"] as const;

/** Maximum number of times that a trial is resumed in another process because its process died. */
const MOST_LOSSES = 2;

export interface SweepOptions extends Pick<TrainOptions, "events" | "interrupt"> {
	readonly runTrial: RunTrial;
}

type TrialEventState = "begun" | "resumed" | "paused" | "finished" | "failed";

/**
 * Runs the trials of a sweep, as many at once as `runTrial` allows, and writes sweep.json after each of them. Finished
 * trials are skipped, and interrupted ones are resumed. A trial that diverges is left out of the ranking. With
 * successive halving, a trial is paused with a checkpoint and later resumed, so that the trials that are finished are
 * those of a full sweep.
 * @throws TailtuneError of a trial that fails in another way, "diverged" if all trials do, "interrupted" if the user
 * stops the sweep, with the command that resumes it
 */
export async function runSweep(folder: SweepFolder, options: SweepOptions): Promise<SweepState> {
	const run = new Sweep(folder, options);
	return run.toEnd();
}

class Sweep {
	readonly #path: string;
	readonly #options: SweepOptions;
	#state: SweepState;
	/** Aborts when a trial fails, so that the others stop too. */
	readonly #stop = new AbortController();
	/** Aborts then, or when the user stops the sweep. */
	readonly #stopped: AbortSignal;
	#failure: { readonly error: unknown } | undefined;
	#writing: Promise<void> = Promise.resolve();
	#atOnce = 1;

	constructor({ path, state }: SweepFolder, options: SweepOptions) {
		this.#path = path;
		this.#state = state;
		this.#options = options;
		this.#stopped = AbortSignal.any([options.interrupt, this.#stop.signal]);
	}

	async toEnd(): Promise<SweepState> {
		const { events } = this.#options;
		await this.#write();
		// The phases of the trials are parts of this one. Its end can't be estimated from the number of trials alone.
		const phase = events.phase("sweep", 0, "trials");
		const rungs = this.#state.halving?.rungs ?? [{ epochs: undefined }];
		const first = Math.max(...this.#state.trials.map((trial) => trial.rung ?? 1)) - 1;
		for (let rung = first; rung < rungs.length; rung++) {
			// With successive halving, a trial is continued on each rung that it reaches.
			await this.#runRung(rung, rungs[rung]?.epochs, () => phase.advance(rung === first ? 1 : 0));
			await this.#endRung(rung);
		}
		phase.done();
		await this.#finish();
		return this.#state;
	}

	/**
	 * Runs the trials of a rung. The first one begins alone: it checks and downloads what all need.
	 * @param until epochs up to which they are trained; default: to their end
	 */
	async #runRung(rung: number, until: number | undefined, onDone: () => void): Promise<void> {
		const waiting = this.#state.trials.keys();
		const work = async () => {
			try {
				for (const index of waiting) {
					if (this.#failure) return;
					await this.#runTrial(index, rung, until, begin);
					onDone();
				}
			} catch (error) {
				this.#failure ??= { error };
				this.#stop.abort();
			}
		};
		const loops: Promise<void>[] = [];
		const begin = (atOnce: number) => {
			this.#atOnce = atOnce;
			while (loops.length < atOnce) loops.push(work());
		};
		begin(1);
		for (const loop of loops) await loop; // the list grows meanwhile
		if (this.#failure) throw this.#failure.error;
	}

	async #runTrial(
		index: number,
		rung: number,
		until: number | undefined,
		onBegin: (atOnce: number) => void,
	): Promise<void> {
		const trial = this.#state.trials[index] as TrialResult;
		const isEnded = trial.state === "failed" || trial.state === "finished";
		if (trial.state === "stopped" || (trial.epochs ?? 0) >= (until ?? 1) || (rung > 0 && isEnded)) return;
		if (trial.state === "failed") return this.#announce(index, "failed");
		const path = join(this.#path, trial.folder);
		const { error: _, ...rest } = trial;
		try {
			await this.#train(index, until, onBegin);
			const result = await readRunResult(path);
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
		await this.#write();
	}

	/** Writes the present state after earlier ones. */
	#write(): Promise<void> {
		this.#writing = this.#writing.then(() => writeSweep(this.#path, this.#state));
		return this.#writing;
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
		await this.#write();
		const epochs = formatEpochs(halving.rungs[rung]?.epochs ?? 0);
		this.#options.events.line(`${kept.length} of ${ranking.length} settings continue after ${epochs}`);
	}

	/** Trains a trial, unless it is finished. If its process dies, it is resumed in another one. */
	async #train(index: number, pauseAfter: number | undefined, onBegin: (atOnce: number) => void): Promise<void> {
		const trial = this.#state.trials[index] as TrialResult;
		const path = join(this.#path, trial.folder);
		const { events, runTrial } = this.#options;
		const interrupt = this.#stopped;
		const own = new RunEvents();
		own.listen((event) => events.emit({ ...event, trial: index + 1 } as RunEvent));
		const hooks = { events: own, interrupt, onTexts: (hash: string) => this.#checkTexts(trial, hash), onBegin };
		for (let losses = 0; !(await isFinishedRun(path)); ) {
			if (interrupt.aborted) throw new TailtuneError("interrupted", "stopped before the sweep began");
			const isBegun = await pathExists(join(path, CONFIG_FILE), "disk");
			this.#announce(index, isBegun ? "resumed" : "begun");
			const config = isBegun ? undefined : await this.#prepareConfig(trial);
			try {
				await runTrial({ path, config, pauseAfter, left: this.#countLeft(pauseAfter) }, hooks);
			} catch (error) {
				if (!(error instanceof LostProcess) || losses++ === MOST_LOSSES) throw error;
				events.warn(`${error.message}; it is continued in another one`);
			}
		}
	}

	/** Counts the trials that aren't trained up to these epochs. */
	#countLeft(until = Number.POSITIVE_INFINITY): number {
		return this.#state.trials.filter((trial) => !hasEnded(trial) && (trial.epochs ?? 0) < until).length;
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
			secondsLeft: estimateSecondsLeft(this.#state, this.#atOnce),
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
		await this.#write();
		await writeSweepReport(this.#path, this.#state, metric, best.folder);
	}

	/** Returns the error with the command that resumes the sweep; before its first run there is nothing to resume. */
	async #interruption(error: TailtuneError): Promise<TailtuneError> {
		const first = this.#state.trials[0]?.folder ?? "";
		if (!(await pathExists(join(this.#path, first), "disk"))) return error;
		return new TailtuneError("interrupted", `stopped; to resume: npx tailtune sweep --resume ${shellWord(this.#path)}`);
	}
}
