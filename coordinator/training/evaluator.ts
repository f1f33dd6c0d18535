import type { PublishedState } from "../../shared/exchange/tensor-exchange.ts";
import { averageLogits } from "../data/divide-tokens.ts";
import { fitTemperature, measureReliability, type Reliability } from "../metrics/calibration.ts";
import { chooseThresholds } from "../metrics/label-sets.ts";
import { type LabelPrediction, type LabelRule, neutralRule, type Scoring, scoringOf } from "../metrics/scoring.ts";
import type { DetailedScores, SetScores } from "../metrics/set-scores.ts";
import { planEvaluation } from "../plan/plan-evaluation.ts";
import { assertNotInterrupted } from "./interruption.ts";
import type { RunContext } from "./run-context.ts";
import { toWorkItem } from "./work-items.ts";

/** The temperature, and how well the test set's probabilities are calibrated without and with it. */
export interface Calibration extends Reliability {
	readonly temperature: number;
	/** Expected calibration error at temperature 1. */
	readonly errorBefore: number;
}

/** Logits computed with one version of the parameters, by example id. */
export class Evaluation {
	readonly #logits: ReadonlyMap<number, readonly number[]>;
	readonly #labelsOf: (example: number) => readonly number[];
	readonly #scoring: Scoring;

	constructor(
		logits: ReadonlyMap<number, readonly number[]>,
		labelsOf: (example: number) => readonly number[],
		scoring: Scoring,
	) {
		this.#logits = logits;
		this.#labelsOf = labelsOf;
		this.#scoring = scoring;
	}

	/** Returns loss and scores of evaluated examples. */
	score(examples: readonly number[]): SetScores {
		return this.#scoring.score(...this.#inputs(examples));
	}

	/**
	 * Fits the temperature of the probabilities to evaluated examples, and measures its effect on other ones. Each text
	 * has one label.
	 */
	calibrate(validation: readonly number[], test: readonly number[]): Calibration {
		const temperature = fitTemperature(...this.#oneLabelInputs(validation));
		const inputs = this.#oneLabelInputs(test);
		const before = measureReliability(...inputs, 1);
		return { temperature, errorBefore: before.error, ...measureReliability(...inputs, temperature) };
	}

	/** Returns the predicted labels of an evaluated example and the probability of each label. */
	predict(example: number): LabelPrediction {
		return this.#scoring.predict(this.#logits.get(example) ?? []);
	}

	/** Returns every score of evaluated examples, with confidence intervals. */
	scoreInDetail(examples: readonly number[]): DetailedScores {
		return this.#scoring.scoreInDetail(...this.#inputs(examples));
	}

	/** Chooses the threshold of each label with the best F1 for these examples. */
	chooseThresholds(examples: readonly number[]): number[] {
		const [, truth, classes] = this.#inputs(examples);
		return chooseThresholds(
			examples.map((example) => this.predict(example).probabilities),
			truth,
			classes,
		);
	}

	/** Returns the same logits with another temperature or other thresholds. */
	withRule(rule: LabelRule): Evaluation {
		return new Evaluation(this.#logits, this.#labelsOf, scoringOf(rule));
	}

	#oneLabelInputs(examples: readonly number[]): [number[], number[], number] {
		const [logits, truth, classes] = this.#inputs(examples);
		return [logits, truth.map(([label = -1]) => label), classes];
	}

	/** Returns logits, labels and the number of classes. */
	#inputs(examples: readonly number[]): [number[], (readonly number[])[], number] {
		const logits = examples.flatMap((example) => this.#logits.get(example) ?? []);
		return [logits, examples.map(this.#labelsOf), logits.length / examples.length];
	}
}

/** A state and its version number. The same number always means the same parameters. */
export interface VersionedState {
	readonly version: number;
	readonly state: PublishedState;
}

/**
 * Computes the logits of texts on the workers; those of a text with several windows are their mean.
 * @param onTexts called with the number of newly computed texts; a text counts with its first window
 * @throws TailtuneError "interrupted" as soon as the user stops the run
 */
export async function evaluate(
	run: RunContext,
	{ version, state }: VersionedState,
	examples: readonly number[],
	onTexts: (count: number) => void = () => {},
): Promise<Evaluation> {
	const { cluster, texts } = run;
	const { tensors, dispatcher, spec } = cluster;
	const sequences = examples.flatMap((text) => texts.windowsOf(text));
	const parts = planEvaluation(texts.planned, sequences, texts.padding);
	const items = parts.map((part) => toWorkItem(run, "WORK_KIND_EVALUATE", version, part));
	const logits = new Map<number, readonly number[]>();
	await tensors.publishState(spec.runId, version, state);
	let next = 0;
	for await (const answer of dispatcher.execute(items)) {
		const ids = parts[next++]?.examples ?? [];
		for (const [row, id] of ids.entries()) {
			logits.set(id, answer.logits.slice(row * texts.classes, (row + 1) * texts.classes));
		}
		onTexts(texts.countTexts(ids));
		assertNotInterrupted(run);
	}
	await tensors.dropState(spec.runId, version);
	const ofText = (text: number) => averageLogits(texts.windowsOf(text).map((id) => logits.get(id) ?? []));
	const scoring = scoringOf(neutralRule(run.config.multiLabel));
	return new Evaluation(new Map(examples.map((text) => [text, ofText(text)])), texts.labelsOf, scoring);
}
