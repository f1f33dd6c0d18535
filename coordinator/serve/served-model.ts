import { createHash } from "node:crypto";
import { realClock } from "../../shared/clock.ts";
import type { TailtuneError } from "../../shared/errors.ts";
import { type Answer, Classifier, type ClassifierEngine } from "../classify/classifier.ts";
import type { OpenCluster } from "../cluster/cluster.ts";
import { Batcher, type BatcherParts } from "./batcher.ts";
import { type ReadText, readText } from "./read-text.ts";
import { readSetMetrics, type SetMetrics } from "./set-metrics.ts";
import { stageModel } from "./stage-model.ts";
import { Lanes } from "./worker-slots.ts";

/** What models are opened with. */
export interface ModelParts {
	readonly openCluster: OpenCluster;
	readonly engine: ClassifierEngine;
	/** Batches that may be under way at the same time, all workers together. */
	readonly shards: number;
	readonly limits: BatcherParts["limits"];
	readonly onBatch: NonNullable<BatcherParts["onBatch"]>;
	/** Told of a batch that could not be computed. */
	readonly onFault: (error: unknown) => void;
}

/** What is said of a text. */
export interface ClassifiedText extends Omit<Answer, "label" | "tokens"> {
	readonly label: string;
	readonly tokens: number;
	/** Whether the text had more tokens than were read. */
	readonly truncated: boolean;
	readonly version: string;
}

/** A model that answers, from its own copy of the files. */
export class ServedModel {
	/** Names weights and reading rules. */
	readonly version: string;
	readonly metrics: readonly SetMetrics[];
	readonly lanes: Lanes;
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
		this.lanes = new Lanes(() => classifier.holders);
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
			lanes: this.lanes,
			clock: realClock,
			now: () => performance.now(),
		});
	}

	/**
	 * Opens the model of a run and has it classify a text: what can't answer is not served.
	 * @throws TailtuneError where files are missing or not usable, or the engine can't compute with them
	 */
	static async open(run: string, parts: ModelParts): Promise<ServedModel> {
		const metrics = await readSetMetrics(run);
		const staged = await stageModel(run);
		try {
			const options = { openCluster: parts.openCluster, shards: parts.shards, verify: true };
			const classifier = await Classifier.open(staged.run, parts.engine, options);
			const { tokens } = await readText("Is this thing on?", classifier.settings.maxTokens, true);
			try {
				classifier.assertBatchFits(parts.limits.maxBatch);
				await classifier.classifyGroup([tokens], 0);
			} catch (error) {
				await classifier.close();
				throw error;
			}
			return new ServedModel(classifier, metrics, parts, staged.remove);
		} catch (error) {
			await staged.remove();
			throw withPlace(error, staged.run, run);
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

	/** Texts that wait for their turn. */
	get queued(): number {
		return this.#batcher.queued;
	}

	/**
	 * What the model says of a text.
	 * @param isPatient one of many: it waits until others are done, instead of being refused
	 * @throws TailtuneError "data" as `readText`, "busy" as `Batcher`, "interrupted" where `signal` aborts
	 */
	async classify(text: string, truncate: boolean, signal: AbortSignal, isPatient = false): Promise<ClassifiedText> {
		return this.answer(await this.read(text, truncate), signal, isPatient);
	}

	/** The first half of `classify`. A longer text is cut if the call asks for it, or if the run cut such texts. */
	read(text: string, truncate: boolean): Promise<ReadText> {
		return readText(text, this.maxTokens, truncate || this.#classifier.settings.truncate);
	}

	/** The second half of `classify`. */
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

// The name of the copy means nothing to people.
function withPlace(error: unknown, copy: string, run: string): unknown {
	if (error instanceof Error) (error as TailtuneError).message = error.message.replaceAll(copy, run);
	return error;
}
