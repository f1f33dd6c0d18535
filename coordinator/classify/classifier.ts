import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { TrainConfig } from "../../shared/config.ts";
import { type EffectiveSequence, effectiveSequence } from "../../shared/data/effective-sequence.ts";
import { tokenize } from "../../shared/data/tokenize.ts";
import type { TailSpec, WorkItem } from "../../shared/messages.ts";
import { initialParameters } from "../../shared/model/initial-parameters.ts";
import { openModel } from "../../shared/model/open-model.ts";
import { TRAINABLE_BY_NAME } from "../../shared/model/tail-spec.ts";
import { groupForTrunk } from "../plan/group-for-trunk.ts";
import type { Cluster, ClusterRun } from "../run/cluster.ts";
import type { Environment } from "../run/train.ts";
import { type ClassifierSettings, readClassifierSettings } from "./classifier-settings.ts";

/** What the model says of a text. */
export interface Answer {
	/** Index of the label with the largest logit, the first of equals. */
	readonly label: number;
	/** Of each label, in [0, 1], adding up to 1. */
	readonly probabilities: readonly number[];
	readonly logits: readonly number[];
	/** Tokens of the text, and whether it had more than the model was tuned for. */
	readonly tokens: number;
	readonly truncated: boolean;
}

/** What a model is computed with. */
export type ClassifierEngine = ClusterRun["engine"] & Pick<TrainConfig, "trunkPrecision">;

/** What a classifier is opened with. */
export interface ClassifierOptions extends Pick<Environment, "openCluster"> {
	/** Groups that may be computed at the same time; default 1. */
	readonly shards?: number;
	/** Reads the weights before they are used, for workers of other processes ask for them by their hash; default false. */
	readonly verify?: boolean;
}

const VERSION = 0;

/** A tuned model, ready to classify on the workers of a cluster. */
export class Classifier {
	readonly settings: ClassifierSettings;
	/** sha256 of the weights, hexadecimal; empty where they were not verified. */
	readonly modelHash: string;
	readonly #cluster: Cluster;
	readonly #runId: string;
	#nextPart = 0;

	private constructor(settings: ClassifierSettings, cluster: Cluster, { runId, modelHash }: ClusterRun) {
		this.settings = settings;
		this.modelHash = modelHash;
		this.#cluster = cluster;
		this.#runId = runId;
	}

	/**
	 * Opens the model of a finished run, to be computed as it was tuned unless `engine` has a precision of its own.
	 * @throws TailtuneError where there is none, or its files can't be used
	 */
	static async open(
		runFolder: string,
		engine: ClassifierEngine,
		{ openCluster, shards = 1, verify = false }: ClassifierOptions,
	): Promise<Classifier> {
		const folder = join(runFolder, "model");
		const settings = await readClassifierSettings(folder);
		const model = await openModel(folder);
		const runId = randomUUID();
		const { trunkPrecision = settings.trunkPrecision } = engine;
		const tail: TailSpec = {
			trainable: TRAINABLE_BY_NAME[settings.tail],
			classes: settings.labels.length,
			causal: settings.causal,
			loraRank: 0,
			loraScale: 0,
		};
		if (verify) await model.checkFinite();
		// The hash would take longer than a text, and a worker of this process doesn't ask for it.
		const modelHash = verify ? await model.hash() : "";
		const run = { runId, model, modelHash, tail, trunkPrecision, shards, engine };
		const cluster = await openCluster(run);
		await cluster.tensors.publishParameters(runId, VERSION, await initialParameters(model, tail, 0));
		return new Classifier(settings, cluster, run);
	}

	/** Id of the worker that holds each shard; undefined while nobody is there. */
	get holders(): readonly (string | undefined)[] {
		return this.#cluster.dispatcher.holders;
	}

	/** Classifies texts, computed in groups as suits the trunk, answered in the order given. */
	async classify(texts: readonly string[], onTexts: (count: number) => void = () => {}): Promise<Answer[]> {
		const tokens = await tokenize(texts);
		const sequences = tokens.map((text) => this.#effective(text));
		const groups = groupForTrunk(
			sequences.map((sequence) => sequence.tokens),
			this.settings.causal,
		);
		const items = groups.map((group) => this.#toItem(group, sequences));
		const answers: Answer[] = [];
		let next = 0;
		for await (const { logits } of this.#cluster.dispatcher.execute(items)) {
			const group = groups[next++] ?? [];
			const classes = this.settings.labels.length;
			group.forEach((text, row) => {
				answers[text] = this.#toAnswer(logits.slice(row * classes, (row + 1) * classes), tokens[text]?.length ?? 0);
			});
			onTexts(group.length);
		}
		return answers;
	}

	/** Classifies texts together, on the worker that holds a shard. @param tokens of each text, at least one */
	async classifyGroup(tokens: readonly Uint32Array[], shard: number): Promise<Answer[]> {
		const sequences = tokens.map((text) => this.#effective(text));
		const item = this.#toItem([...tokens.keys()], sequences, shard);
		const classes = this.settings.labels.length;
		for await (const { logits } of this.#cluster.dispatcher.execute([item])) {
			return tokens.map(({ length }, row) => this.#toAnswer(logits.slice(row * classes, (row + 1) * classes), length));
		}
		return [];
	}

	async close(): Promise<void> {
		await this.#cluster.close();
	}

	#toItem(group: readonly number[], effective: readonly EffectiveSequence[], shard = 0): WorkItem {
		const sequences = group.map((text) => {
			const { tokens, ...pool } = effective[text] as EffectiveSequence;
			return { exampleId: text, tokens: Array.from(tokens), ...pool, label: 0 };
		});
		const part = this.#nextPart++;
		const kind = "WORK_KIND_CLASSIFY" as const;
		return { runId: this.#runId, kind, step: 0, part, shard, parameterVersion: VERSION, sequences };
	}

	/** A text padded for itself alone: its answer must not depend on what it is asked together with. */
	#effective(tokens: Uint32Array): EffectiveSequence {
		const { maxTokens, padTo, ...reading } = this.settings;
		const real = tokens.subarray(0, maxTokens);
		return effectiveSequence(real, { ...reading, padTo: padTo ?? undefined }, real.length);
	}

	#toAnswer(logits: readonly number[], tokens: number): Answer {
		const largest = Math.max(...logits);
		const weights = logits.map((logit) => Math.exp(logit - largest));
		const total = weights.reduce((sum, weight) => sum + weight, 0);
		return {
			label: logits.indexOf(largest),
			probabilities: weights.map((weight) => weight / total),
			logits,
			tokens,
			truncated: tokens > this.settings.maxTokens,
		};
	}
}
