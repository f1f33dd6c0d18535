import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { TailtuneError } from "../../shared/errors.ts";
import { plainTail, TRAINABLE_BY_NAME } from "../../shared/model/tail-spec.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";
import { readInitialParameters } from "../base-model/initial-parameters.ts";
import type { Cluster, ClusterRun, OpenCluster } from "../cluster/cluster.ts";
import type { SourcedText } from "../data/dataset.ts";
import { type DividedTokens, divideTokens } from "../data/divide-tokens.ts";
import { countAffixes, lengthFault, type TokenLimit, tokenizeWithin } from "../data/limit-tokens.ts";
import { type LabelPrediction, type LabelRule, type Scoring, scoringOf } from "../metrics/scoring.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { type ClassifierSettings, classifierLimit, readingOf, withLabelFlags } from "./classifier-settings.ts";
import { type AnnouncedModel, computeDivided, computeTogether } from "./compute-logits.ts";
import { openTunedModel } from "./tuned-model.ts";

/** The model's answer to a text. */
export interface Prediction extends LabelPrediction {
	readonly logits: readonly number[];
	/** Number of tokens read. */
	readonly tokens: number;
}

/** The answer to a text that may have been cut. */
export interface TextAnswer extends Prediction {
	/** Whether the text had more tokens than were read. */
	readonly truncated: boolean;
}

/** The engine that computes the model, and flags that replace settings of the run. */
export type ClassifierEngine = ClusterRun["engine"] &
	Pick<TrainConfig, "trunkPrecision" | "maxTokens" | "long" | "abstain" | "threshold">;

/** Options of a classifier. */
export interface ClassifierOptions {
	/** Opens the workers that compute. */
	readonly openCluster: OpenCluster;
	/** Maximum number of groups computed at the same time; default 1. */
	readonly shards?: number;
	/** Whether to check and hash the weights first; workers of other processes need the hash. Default false. */
	readonly verify?: boolean;
	/** Whether each text gets a label, even below `--abstain` and all thresholds. Default false. */
	readonly alwaysLabel?: boolean;
}

const VERSION = 0;

/** A tuned model, ready to classify on the workers of a cluster. */
export class Classifier {
	readonly settings: ClassifierSettings;
	readonly tokenizer: Tokenizer;
	/** The most tokens of a text, and how `classify` reads longer texts. */
	readonly limit: TokenLimit;
	/** How texts are scored, by logits that aren't divided by the temperature: as in the run. */
	readonly scoring: Scoring;
	/** SHA-256 of the weights, hexadecimal; empty if they weren't verified. */
	readonly modelHash: string;
	readonly #predict: Scoring["predict"];
	readonly #cluster: Cluster;
	readonly #runId: string;

	private constructor(
		settings: ClassifierSettings,
		tokenizer: Tokenizer,
		limit: TokenLimit,
		rule: LabelRule,
		cluster: Cluster,
		{ runId, modelHash }: ClusterRun,
	) {
		this.settings = settings;
		this.tokenizer = tokenizer;
		this.limit = limit;
		this.scoring = scoringOf(rule);
		// The model's head is already divided by the temperature.
		this.#predict = scoringOf({ ...rule, temperature: 1 }).predict;
		this.modelHash = modelHash;
		this.#cluster = cluster;
		this.#runId = runId;
	}

	/**
	 * Opens the model of a finished run. It is computed with the precision of the run unless `engine` sets another one.
	 * @throws TailtuneError if there is no such run, its files can't be used, or as `classifierLimit`
	 */
	static async open(
		runFolder: string,
		engine: ClassifierEngine,
		{ openCluster, shards = 1, verify = false, alwaysLabel = false }: ClassifierOptions,
	): Promise<Classifier> {
		const folder = join(runFolder, "model");
		const { settings: ofRun, model, tokenizer } = await openTunedModel(folder);
		const settings = withLabelFlags(ofRun, engine);
		const limit = countAffixes(tokenizer, classifierLimit(settings, engine));
		const runId = randomUUID();
		const { trunkPrecision = settings.trunkPrecision } = engine;
		const tail = plainTail(TRAINABLE_BY_NAME[settings.tail], settings.labels.length, settings.causal);
		if (verify) await model.checkFinite();
		// Hashing takes longer than classifying a text, and a worker in this process doesn't need the hash.
		const modelHash = verify ? await model.hash() : "";
		// An answer may round differently on another engine; it is none the worse for that.
		const run = { runId, model, modelHash, tail, trunkPrecision, shards, engine, mixedEngines: true };
		const parameters = await readInitialParameters(model, tail, 0, [...settings.labels.keys()]);
		const cluster = await openCluster(run);
		try {
			await cluster.tensors.publishState(runId, VERSION, { parameters });
		} catch (error) {
			await cluster.close();
			throw error;
		}
		const rule = { ...settings, temperature: settings.foldedTemperature };
		return new Classifier(
			settings,
			tokenizer,
			limit,
			alwaysLabel ? { ...rule, abstain: undefined } : rule,
			cluster,
			run,
		);
	}

	/** Id of the worker that holds each shard; undefined while there is none. */
	get holders(): readonly (string | undefined)[] {
		return this.#cluster.dispatcher.holders;
	}

	/**
	 * Classifies texts in groups that suit the trunk. Answers are in the order of the texts.
	 * @throws TailtuneError "data" that names a text longer than the limit, unless longer texts are cut
	 */
	async classify(texts: readonly SourcedText[], onTexts: (count: number) => void = () => {}): Promise<TextAnswer[]> {
		const answers = await this.classifyEach(texts, onTexts);
		return answers.map((answer) => {
			if (answer instanceof TailtuneError) throw answer;
			return answer;
		});
	}

	/** Classifies texts as `classify`, but the answer to a text that is too long is its error. */
	async classifyEach(
		texts: readonly SourcedText[],
		onTexts: (count: number) => void = () => {},
	): Promise<(TextAnswer | TailtuneError)[]> {
		const whole = tokenizeWithin(texts, this.limit, this.tokenizer);
		const answers: (TextAnswer | TailtuneError)[] = [];
		for (const [index, { source }] of texts.entries()) {
			const refusal = lengthFault(whole[index] as Uint32Array, source, this.limit);
			if (refusal) answers[index] = refusal;
		}
		const kept = [...texts.keys()].filter((index) => answers[index] === undefined);
		onTexts(texts.length - kept.length);
		const divided = kept.map((index) => divideTokens(whole[index] as Uint32Array, this.limit));
		const onWindows = countTexts(divided, onTexts);
		const windows = divided.map((text) => text.windows);
		const all = await computeDivided(this.#cluster.dispatcher, this.#model, windows, 1, onWindows);
		for (const [place, logits] of all.entries()) {
			const { tokens, cut } = divided[place] as DividedTokens;
			answers[kept[place] as number] = { ...this.toPrediction(logits, tokens), truncated: cut };
		}
		return answers;
	}

	/** Returns the error of the first text that is longer than the limit and would be refused, without classifying. */
	async findFault(texts: readonly SourcedText[]): Promise<TailtuneError | undefined> {
		if (this.limit.long !== "refuse") return undefined;
		const suspects = texts.filter(({ text }) => this.tokenizer.mayExceed(text, this.limit.tokens));
		const tokens = tokenizeWithin(suspects, this.limit, this.tokenizer);
		for (const [index, { source }] of suspects.entries()) {
			const refusal = lengthFault(tokens[index] as Uint32Array, source, this.limit);
			if (refusal) return refusal;
		}
		return undefined;
	}

	/**
	 * Classifies texts together, on the worker that holds a shard.
	 * @param tokens tokens of each text, 1 to `settings.maxTokens`
	 */
	async classifyGroup(tokens: readonly Uint32Array[], shard: number): Promise<Prediction[]> {
		const all = await computeTogether(this.#cluster.dispatcher, this.#model, tokens, shard);
		return all.map((logits, text) => this.toPrediction(logits, tokens[text]?.length ?? 0));
	}

	async close(): Promise<void> {
		await this.#cluster.close();
	}

	/** Makes the prediction of a text from its logits. @param tokens number of tokens that were read */
	toPrediction(logits: readonly number[], tokens: number): Prediction {
		return { ...this.#predict(logits), logits, tokens };
	}

	get #model(): AnnouncedModel {
		const { settings } = this;
		return { runId: this.#runId, version: VERSION, padding: readingOf(settings), classes: settings.labels.length };
	}
}

/** Returns a function that takes the indices of finished windows and reports the texts of which all are finished. */
function countTexts(texts: readonly DividedTokens[], onTexts: (count: number) => void) {
	const textOf = texts.flatMap(({ windows }, text) => windows.map(() => text));
	const left = texts.map(({ windows }) => windows.length);
	return (done: readonly number[]) => {
		let finished = 0;
		for (const window of done) {
			const text = textOf[window] as number;
			left[text] = (left[text] as number) - 1;
			if (left[text] === 0) finished++;
		}
		onTexts(finished);
	};
}
