import { computeDivided } from "../classify/compute-logits.ts";
import { divideTokens } from "../data/divide-tokens.ts";
import { countAffixes, tokenizeWithin } from "../data/limit-tokens.ts";
import type { LabelPrediction } from "../metrics/scoring.ts";
import type { ChosenText } from "./choose-test-texts.ts";
import type { VersionedState } from "./evaluator.ts";
import { findReadPart } from "./find-read-part.ts";
import { assertNotInterrupted } from "./interruption.ts";
import type { RunContext } from "./run-context.ts";
import type { RunTexts } from "./run-texts.ts";
import { listWordSpans, removeSpan, type TextSpan } from "./word-spans.ts";

/** A part of a text, and how the probability of the text's label changes without it. */
export interface ExplainedSpan extends TextSpan {
	readonly change: number;
}

/** Most parts of a text; longer texts have parts of several words. */
const MOST_SPANS = 30;
/** Fewer parts explain nothing. */
const LEAST_SPANS = 3;
/** Tokens to compute: this share of the tokens of all texts of the run, so that it takes a few percent of the time. */
const BUDGET_SHARE = 0.05;
const LEAST_BUDGET = 1000;
/** Share of the budget that one text may use. */
const TEXT_SHARE = 0.25;

/** A text with the variants to compute: the whole text, then without each part. */
interface TextVariants {
	readonly id: number;
	readonly about: number;
	readonly spans: readonly TextSpan[];
	readonly variants: readonly string[];
}

/**
 * Computes how the probability of a label changes without each word of a text (occlusion), on the workers of the run.
 * @param chosen the most important text first; those for which the budget doesn't suffice are left out
 * @param predict returns the probabilities for logits
 * @returns the parts of each explained text, in their order, by id
 * @throws TailtuneError "interrupted" as soon as the user stops the run
 */
export async function explainTexts(
	run: RunContext,
	{ version, state }: VersionedState,
	chosen: readonly ChosenText[],
	predict: (logits: readonly number[]) => LabelPrediction,
): Promise<Map<number, ExplainedSpan[]>> {
	const explained = planVariants(run.texts, chosen);
	if (explained.length === 0) return new Map();
	const { tensors, spec } = run.cluster;
	await tensors.publishState(spec.runId, version, state);
	const all = await classifyTexts(
		run,
		version,
		explained.flatMap(({ variants }) => variants),
	);
	await tensors.dropState(spec.runId, version);
	let next = 0;
	return new Map(
		explained.map(({ id, about, spans, variants }) => {
			const [whole = 0, ...without] = variants.map(() => predict(all[next++] ?? []).probabilities[about] ?? 0);
			return [id, spans.map((span, i) => ({ ...span, change: (without[i] ?? 0) - whole }))];
		}),
	);
}

/** Divides texts into parts as far as the budget allows. Only the words that are read are removed. */
function planVariants({ planned, details, long, tokenizer }: RunTexts, chosen: readonly ChosenText[]): TextVariants[] {
	const total = planned.reduce((sum, { tokens }) => sum + tokens.length, 0);
	const budget = Math.max(LEAST_BUDGET, BUDGET_SHARE * total);
	const explained = new Map<number, TextVariants>();
	let left = budget;
	for (const { id, about } of chosen) {
		const { text = "", tokens = 1, cut = false } = details[id] ?? {};
		const most = Math.min(MOST_SPANS, Math.floor(Math.min(left, TEXT_SHARE * budget) / tokens) - 1);
		if (most < LEAST_SPANS || explained.has(id)) continue;
		const spans = listWordSpans(cut && long !== "head-tail" ? findReadPart(text, tokens, tokenizer) : text, most);
		if (spans.length < 2) continue;
		left -= tokens * (spans.length + 1);
		explained.set(id, { id, about, spans, variants: [text, ...spans.map((span) => removeSpan(text, span))] });
	}
	return [...explained.values()];
}

/** Computes the logits of texts that aren't in the run's sets. */
async function classifyTexts(run: RunContext, version: number, texts: readonly string[]): Promise<number[][]> {
	const { padding, maxTokens, long, classes, tokenizer } = run.texts;
	const own = { tokens: maxTokens, long: long === "refuse" ? "cut" : long, reason: "" } as const;
	const limit = countAffixes(tokenizer, own);
	const tokens = tokenizeWithin(
		texts.map((text) => ({ text })),
		limit,
		tokenizer,
	);
	const windows = tokens.map((of) => divideTokens(of, limit).windows);
	const { dispatcher, spec } = run.cluster;
	const model = { runId: spec.runId, version, padding, classes };
	const onDone = () => assertNotInterrupted(run);
	return computeDivided(dispatcher, model, windows, run.config.shards, onDone);
}
