import { TailtuneError } from "../../shared/errors.ts";
import { raceAbort } from "../../shared/race-abort.ts";
import { defaultConfig } from "../../shared/settings/resolve-config.ts";
import { Classifier, type TextAnswer } from "../classify/classifier.ts";
import type { OpenCluster } from "../cluster/cluster.ts";
import { BOX_ANSWER_MS } from "../deadlines.ts";
import { fingerprintRun } from "../run-folder/fingerprint-run.ts";
import { TimeLimit } from "../time-limit.ts";

/** Most texts that wait for their answer, including the one that is computed. */
const MOST_WAITING = 4;

/** A text's answer, and the classifier that gave it. */
export interface BoxAnswer {
	readonly answer: TextAnswer;
	readonly classifier: Pick<Classifier, "settings" | "limit">;
}

/** Classifies texts with the models of runs. One model at a time is open, and one text at a time is computed. */
export class RunClassifier {
	readonly #openCluster: OpenCluster;
	#opened: { readonly key: string; readonly classifier: Classifier } | undefined;
	#waiting = 0;
	#last: Promise<unknown> = Promise.resolve();
	readonly #closed = new AbortController();

	/** @param openCluster opens the worker that computes */
	constructor(openCluster: OpenCluster) {
		this.#openCluster = openCluster;
	}

	/**
	 * Classifies a text with the model of a finished run.
	 * @param signal ends the wait for the answer
	 * @throws TailtuneError "busy" if too many texts wait or the answer takes too long, "data" if the text is refused,
	 *   or if the model can't be opened
	 */
	async classify(folder: string, text: string, signal: AbortSignal): Promise<BoxAnswer> {
		if (this.#waiting >= MOST_WAITING)
			throw new TailtuneError("busy", `found ${MOST_WAITING} texts that wait already, expected fewer; try again later`);
		this.#waiting++;
		const answer = this.#last.then(() => this.#compute(folder, text, signal));
		this.#last = answer.catch(() => {}).then(() => this.#waiting--);
		return this.#limitTime(raceAbort(answer, signal));
	}

	/** Ends the text that is computed now, and closes the model. */
	async close(): Promise<void> {
		this.#closed.abort(new TailtuneError("interrupted", "the page was closed"));
		await this.#closeModel();
		// It may have been opened just now.
		await this.#last;
		await this.#closeModel();
	}

	async #compute(folder: string, text: string, signal: AbortSignal): Promise<BoxAnswer> {
		signal.throwIfAborted();
		this.#closed.signal.throwIfAborted();
		const classifier = await this.#openModel(folder);
		try {
			// Continues if the page that asked is closed: otherwise more texts than allowed could be computed at once.
			const [answer] = await this.#limitTime(classifier.classify([{ text, source: "text" }]));
			return { answer: answer as TextAnswer, classifier };
		} catch (error) {
			// If the worker failed or hangs, all later texts would fail too.
			if (!(error instanceof TailtuneError && error.code === "data")) await this.#closeModel();
			throw error;
		}
	}

	/** Waits until the page is closed, or the answer is late. */
	async #limitTime<T>(promise: Promise<T>): Promise<T> {
		const limit = new TimeLimit(BOX_ANSWER_MS, this.#closed.signal);
		try {
			return await raceAbort(promise, limit.signal);
		} catch (error) {
			if (!limit.isOver) throw error;
			throw new TailtuneError("busy", `no answer within ${BOX_ANSWER_MS / 1000} seconds; try again later`);
		} finally {
			limit.end();
		}
	}

	async #openModel(folder: string): Promise<Classifier> {
		const key = `${folder} ${await fingerprintRun(folder)}`;
		if (this.#opened?.key === key) return this.#opened.classifier;
		await this.#closeModel();
		const classifier = await Classifier.open(folder, defaultConfig(), { openCluster: this.#openCluster });
		this.#opened = { key, classifier };
		return classifier;
	}

	async #closeModel(): Promise<void> {
		const opened = this.#opened;
		this.#opened = undefined;
		await opened?.classifier.close();
	}
}
