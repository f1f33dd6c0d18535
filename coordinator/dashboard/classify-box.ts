import type { Hono, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { z } from "zod";
import { TailtuneError } from "../../shared/errors.ts";
import { onlyJson } from "../http/http-checks.ts";
import { parseJsonBody } from "../http/parse-json-body.ts";
import type { PageEnv } from "./page-app.ts";
import type { BoxAnswer, RunClassifier } from "./run-classifier.ts";

/** Most characters of a text, and bytes of the request: a character has up to 6 bytes in JSON. */
const MOST_CHARACTERS = 20_000;
const MOST_BYTES = 6 * MOST_CHARACTERS + 1000;

const requestSchema = z.strictObject({
	text: z
		.string()
		.max(MOST_CHARACTERS)
		.refine((text) => text.trim() !== "", "expected at least one character"),
});

/**
 * Adds `POST /classify`: classifies a text with the model of a finished run.
 * @param folderOf returns the folder of the run that is asked for
 */
export function addClassifyBox(
	app: Hono<PageEnv>,
	isAllowed: MiddlewareHandler,
	folderOf: (run: string | undefined) => string | Promise<string>,
	runs: Pick<RunClassifier, "classify">,
): void {
	const limit = bodyLimit({
		maxSize: MOST_BYTES,
		onError: (context) => {
			// The rest of the body isn't read.
			context.header("connection", "close");
			throw new TailtuneError("data", `text: expected at most ${MOST_CHARACTERS} characters`);
		},
	});
	app.post("/classify", isAllowed, onlyJson, limit, async (context) => {
		const { text } = parseJsonBody(await context.req.arrayBuffer(), requestSchema);
		const folder = await folderOf(context.req.query("run"));
		return context.json(describeAnswer(await runs.classify(folder, text, context.req.raw.signal)));
	});
}

/** Describes an answer for the page: all labels, the most probable one first. */
function describeAnswer({ answer, classifier: { settings, limit } }: BoxAnswer) {
	const { labels: names, thresholds, multiLabel, abstain } = settings;
	const labels = names.map((label, index) => ({
		label,
		probability: answer.probabilities[index] ?? 0,
		isPredicted: answer.labels.includes(index),
		// See `LabelRule`.
		threshold: thresholds[index] ?? (multiLabel ? 0.5 : null),
	}));
	labels.sort((a, b) => b.probability - a.probability);
	const { tokens, truncated } = answer;
	return { labels, multiLabel, abstain, tokens, truncated, maxTokens: limit.tokens };
}
