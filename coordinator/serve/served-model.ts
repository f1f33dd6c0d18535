import { createHash } from "node:crypto";
import { setMaxListeners } from "node:events";
import { realClock } from "../../shared/clock.ts";
import type { TailtuneError } from "../../shared/errors.ts";
import { Classifier, type ClassifierEngine, type Prediction } from "../classify/classifier.ts";
import type { OpenCluster } from "../cluster/cluster.ts";
import { averageLogits, type DividedTokens } from "../data/divide-tokens.ts";
import { Batcher, type BatcherParts } from "./batcher.ts";
import { readText } from "./read-text.ts";
import { readSetMetrics, type SetMetrics } from "./set-metrics.ts";
import { stageModel } from "./stage-model.ts";
import { WorkerSlots } from "./worker-slots.ts";

/** Parts that every served model shares. */
export interface ModelParts {
	readonly openCluster: OpenCluster;
	readonly engine: ClassifierEngine;
	/** Most batches in flight, of all workers together. */
	readonly shards: number;
	readonly limits: BatcherParts["limits"];
	readonly onBatch: NonNullable<BatcherParts["onBatch"]>;
	/** Called when a batch could not be computed. */
	readonly onFault: (error: unknown) => void;
}

/** The classification of a text. */
export interface ClassifiedText extends Omit<Prediction, "label" | "labels" | "tokens"> {
	/** Names of the predicted labels: one, none below `--abstain` or `--threshold`, or several. */
	readonly labels: readonly string[];
	readonly tokens: number;
	/** Whether the text had more tokens than were read. */
	readonly truncated: boolean;
	readonly version: string;
}

/** An open model that classifies texts, from its own copy of the files. */
export class ServedModel {
	/** Hash of the weights and of the rules for reading texts. */
	readonly version: string;
	readonly metrics: readonly SetMetrics[];
	readonly slots: WorkerSlots;
	readonly #classifier: Classifier;
	readonly #batcher: Batcher;
	readonly #mostWindows: number;
	readonly #removeFiles: () => Promise<void>;

	private constructor(
		classifier: Classifier,
		metrics: readonly SetMetrics[],
		parts: ModelParts,
		removeFiles: () => Promise<void>,
	) {
		const { modelHash, settings } = classifier;
		const rules = JSON.stringify(settings);
		this.version = createHash("sha256").update(`${modelHash} ${rules}`).digest("hex").slice(0, 12);
		this.metrics = metrics;
		this.slots = new WorkerSlots(() => classifier.holders);
		this.#classifier = classifier;
		this.#mostWindows = parts.limits.maxQueue;
		this.#removeFiles = removeFiles;
		this.#batcher = new Batcher({
			...parts,
			compute: async (tokens, shard) => {
				try {
					return await classifier.classifyGroup(tokens, shard);
				} catch (error) {
					parts.onFault(error);
					throw error;
				}
			},
			slots: this.slots,
			clock: realClock,
			now: () => performance.now(),
		});
	}

	/**
	 * Opens the model of a run and classifies one text as a test.
	 * @throws TailtuneError if files are missing or unusable, or the engine can't compute with them
	 */
	static async open(run: string, parts: ModelParts): Promise<ServedModel> {
		const metrics = await readSetMetrics(run);
		const staged = await stageModel(run);
		try {
			const options = { openCluster: parts.openCluster, shards: parts.shards, verify: true };
			const classifier = await Classifier.open(staged.run, parts.engine, options);
			const { windows } = readText("Is this thing on?", { ...classifier.limit, long: "cut" }, 1, classifier.tokenizer);
			try {
				await classifier.classifyGroup(windows, 0);
			} catch (error) {
				await classifier.close();
				throw error;
			}
			return new ServedModel(classifier, metrics, parts, staged.remove);
		} catch (error) {
			await staged.remove();
			throw withRunName(error, staged.run, run);
		}
	}

	get labels(): readonly string[] {
		return this.#classifier.settings.labels;
	}

	get maxTokens(): number {
		return this.#classifier.settings.maxTokens;
	}

	/** sha256 of the weights, hexadecimal. */
	get hash(): string {
		return this.#classifier.modelHash;
	}

	/** Number of waiting texts. */
	get queued(): number {
		return this.#batcher.queued;
	}

	/**
	 * Classifies a text.
	 * @param isPatient for one of many texts: it waits for the others instead of being refused
	 * @throws TailtuneError "data" as `readText`, "busy" as `Batcher`, "interrupted" if `signal` aborts
	 */
	async classify(text: string, truncate: boolean, signal: AbortSignal, isPatient = false): Promise<ClassifiedText> {
		return this.answer(await this.read(text, truncate), signal, isPatient);
	}

	/**
	 * Tokenizes a text: the first step of `classify`. A longer text is read as in the run; if the run refused such texts,
	 * it is cut if the caller wants it.
	 */
	async read(text: string, truncate: boolean): Promise<DividedTokens> {
		const { long } = this.#classifier.settings;
		const { limit, tokenizer } = this.#classifier;
		const own = { ...limit, tokens: this.maxTokens, long: long === "refuse" && truncate ? "cut" : long } as const;
		return readText(text, own, this.#mostWindows, tokenizer);
	}

	/** Classifies a tokenized text: the second step of `classify`. */
	async answer(text: DividedTokens, signal: AbortSignal, isPatient: boolean): Promise<ClassifiedText> {
		const { windows, tokens, cut } = text;
		const isAlone = windows.length === 1 && !isPatient;
		const answers = isAlone ? [await this.#batcher.ask(windows[0], signal)] : await this.#askAll(windows, signal);
		const logits = answers.map((answer) => answer.logits);
		const answer = this.#classifier.toPrediction(averageLogits(logits), tokens);
		const labels = answer.labels.map((label) => this.labels[label] ?? "");
		return { ...answer, labels, truncated: cut, version: this.version };
	}

	/** Classifies the windows of a text. If one fails, those that haven't been sent are dropped. */
	async #askAll(windows: readonly Uint32Array[], signal: AbortSignal): Promise<Prediction[]> {
		const failed = new AbortController();
		const either = AbortSignal.any([signal, failed.signal]);
		setMaxListeners(0, either);
		try {
			return await Promise.all(windows.map((tokens) => this.#batcher.askPatiently(tokens, either)));
		} catch (error) {
			failed.abort();
			throw error;
		}
	}

	async close(): Promise<void> {
		await this.#classifier.close();
		await this.#removeFiles();
	}
}

// The copy's name means nothing to users, so messages name the run.
function withRunName(error: unknown, copy: string, run: string): unknown {
	if (error instanceof Error) (error as TailtuneError).message = error.message.replaceAll(copy, run);
	return error;
}
