import { createHash } from "node:crypto";
import { realClock } from "../../shared/clock.ts";
import type { TailtuneError } from "../../shared/errors.ts";
import { Classifier, type ClassifierEngine, type Prediction } from "../classify/classifier.ts";
import type { OpenCluster } from "../cluster/cluster.ts";
import { Batcher, type BatcherParts } from "./batcher.ts";
import { type ReadText, readText } from "./read-text.ts";
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
export interface ClassifiedText extends Omit<Prediction, "label" | "tokens"> {
	readonly label: string;
	readonly tokens: number;
	/** Whether the text was cut to the most tokens. */
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
			const { tokens } = await readText("Is this thing on?", classifier.settings.maxTokens, true);
			try {
				await classifier.classifyGroup([tokens], 0);
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
	 * Tokenizes a text: the first step of `classify`. A longer text is cut if the caller wants it, or if the run cut long
	 * texts.
	 */
	read(text: string, truncate: boolean): Promise<ReadText> {
		return readText(text, this.maxTokens, truncate || this.#classifier.settings.truncate);
	}

	/** Classifies a tokenized text: the second step of `classify`. */
	async answer({ tokens, truncated }: ReadText, signal: AbortSignal, isPatient: boolean): Promise<ClassifiedText> {
		const ask = isPatient ? this.#batcher.askPatiently(tokens, signal) : this.#batcher.ask(tokens, signal);
		const answer = await ask;
		const label = this.labels[answer.label] ?? "";
		return { ...answer, label, tokens: tokens.length, truncated, version: this.version };
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
