import type { Hono, MiddlewareHandler } from "hono";
import { readPredictions } from "../run-folder/predictions.ts";
import { readTestDetails } from "../run-folder/test-details.ts";
import type { PageEnv } from "./page-app.ts";

/** Most texts of a cell that are sent. */
const MOST_TEXTS = 200;

/** A test text in a cell of the confusion matrix. */
interface CellText {
	readonly source: string;
	/** Probability of the predicted label. */
	readonly probability: number;
	/** Its beginning, if the run kept it for the report. */
	readonly text: string | null;
}

/**
 * Adds `GET /texts?label=L&predicted=P`: test texts of a cell of the confusion matrix, the most confident ones first.
 * @param folderOf returns the folder of the run that is asked for
 */
export function addCellTexts(
	app: Hono<PageEnv>,
	isAllowed: MiddlewareHandler,
	folderOf: (run: string | undefined) => string | Promise<string>,
): void {
	app.get("/texts", isAllowed, async (context) => {
		const { run, label = "", predicted = "" } = context.req.query();
		return context.json(await listCellTexts(await folderOf(run), label, predicted));
	});
}

async function listCellTexts(folder: string, label: string, predicted: string) {
	const details = await readTestDetails(folder);
	const kept = [...(details?.mistakes ?? []), ...(details?.uncertain ?? [])];
	const textOf = new Map(kept.map(({ source, pieces }) => [source, pieces.map(({ text }) => text).join("")]));
	const found: CellText[] = [];
	let count = 0;
	for await (const line of readPredictions(folder)) {
		if (line.set !== "test" || line.label !== label || line.predicted !== predicted) continue;
		count++;
		const { source } = line;
		found.push({ source, probability: line.probabilities[predicted] ?? 0, text: textOf.get(source) ?? null });
		if (found.length >= 2 * MOST_TEXTS) keepMostConfident(found);
	}
	keepMostConfident(found);
	return { count, texts: found };
}

function keepMostConfident(texts: CellText[]): void {
	texts.sort((a, b) => b.probability - a.probability);
	texts.length = Math.min(texts.length, MOST_TEXTS);
}
