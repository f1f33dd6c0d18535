import type { PublishedState } from "../../shared/exchange/tensor-exchange.ts";
import { averageLogits } from "../data/divide-tokens.ts";
import { fitTemperature, measureReliability, type Reliability } from "../metrics/calibration.ts";
import { toProbabilities } from "../metrics/probabilities.ts";
import { type DetailedScores, type SetScores, scoreInDetail, scoreSet } from "../metrics/set-scores.ts";
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
	readonly #labelOf: (example: number) => number;

	constructor(logits: ReadonlyMap<number, readonly number[]>, labelOf: (example: number) => number) {
		this.#logits = logits;
		this.#labelOf = labelOf;
	}

	/** Returns loss and scores of evaluated examples. */
	score(examples: readonly number[]): SetScores {
		return scoreSet(...this.#inputs(examples));
	}

	/** Fits the temperature of the probabilities to evaluated examples, and measures its effect on other ones. */
	calibrate(validation: readonly number[], test: readonly number[]): Calibration {
		const temperature = fitTemperature(...this.#inputs(validation));
		const before = measureReliability(...this.#inputs(test), 1);
		const { error, bins } = measureReliability(...this.#inputs(test), temperature);
		return { temperature, errorBefore: before.error, error, bins };
	}

	/** Returns the predicted label of an evaluated example and the probability of each label. */
	predict(example: number, temperature: number): { readonly label: number; readonly probabilities: readonly number[] } {
		const logits = this.#logits.get(example) ?? [];
		return { label: logits.indexOf(Math.max(...logits)), probabilities: toProbabilities(logits, temperature) };
	}

	/** Returns every score of evaluated examples, with confidence intervals. */
	scoreInDetail(examples: readonly number[]): DetailedScores {
		return scoreInDetail(...this.#inputs(examples));
	}

	/** Returns logits, labels and the number of classes. */
	#inputs(examples: readonly number[]): [number[], number[], number] {
		const logits = examples.flatMap((example) => this.#logits.get(example) ?? []);
		return [logits, examples.map(this.#labelOf), logits.length / examples.length];
	}
}

/** A state and its version number. The same number always means the same parameters. */
export interface VersionedState {
	readonly version: number;
	readonly state: PublishedState;
}

/**
 * Computes the logits of texts on the workers; those of a text with several windows are their mean.
 * @param onSequences called with the number of newly computed sequences: one per text, or one per window
 * @throws TailtuneError "interrupted" as soon as the user stops the run
 */
export async function evaluate(
	run: RunContext,
	{ version, state }: VersionedState,
	examples: readonly number[],
	onSequences: (count: number) => void = () => {},
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
		onSequences(ids.length);
		assertNotInterrupted(run);
	}
	await tensors.dropState(spec.runId, version);
	const ofText = (text: number) => averageLogits(texts.windowsOf(text).map((id) => logits.get(id) ?? []));
	return new Evaluation(new Map(examples.map((text) => [text, ofText(text)])), (text) => texts.labelOf(text));
}
