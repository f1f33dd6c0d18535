import { join } from "node:path";
import { z } from "zod";
import type { TailtuneError } from "../../shared/errors.ts";
import { MOST_JSON_BYTES, readRegularFile } from "../../shared/files/regular-file.ts";
import { writeFileAtomic } from "../../shared/files/write-atomic.ts";
import { parseAs } from "./result-files.ts";

/** Name of the file in a run folder. */
const TEST_DETAILS_FILE = "test-details.json";

const share = z.number().min(0).max(1);
const count = z.int().min(0);

const pieceSchema = z.strictObject({
	text: z.string().describe("a part of the text; all parts together are the text"),
	change: z
		.number()
		.min(-1)
		.max(1)
		.optional()
		.describe("how much the probability of `about` changes without this part; only if that was computed"),
});

const shownTextSchema = z.strictObject({
	source: z.string().describe('source of the text, for example "file:line"'),
	pieces: z.array(pieceSchema).describe("the text in parts; a long text is cut"),
	cut: z.boolean().describe("whether the end of the text is left out here"),
	label: z.string().describe("the text's own label"),
	predicted: z.string().describe("the predicted label"),
	about: z.string().describe("the label that `probability` is about: the predicted one, or the wrong one of several"),
	probability: share.describe("probability of `about`"),
	probabilities: z
		.array(z.strictObject({ label: z.string().describe("a label"), probability: share.describe("its probability") }))
		.describe("the largest probabilities"),
});

/** Schema of test-details.json. */
export const testDetailsSchema = z.strictObject({
	curves: z
		.array(
			z.strictObject({
				label: z.string().describe("name of the class"),
				texts: count.describe("test texts of this class"),
				start: share.describe("threshold of the model's own decision"),
				points: z
					.array(z.tuple([share, count, count]))
					.describe("threshold, texts with at least this probability, and how many of these are of the class"),
			}),
		)
		.describe(
			"precision-recall curves of the classes with the most test texts, from the highest threshold to the lowest",
		),
	mistakes: z
		.array(shownTextSchema)
		.describe("test texts predicted wrong, the most confident ones first; a few for each pair of labels"),
	uncertain: z.array(shownTextSchema).describe("test texts whose prediction was the closest decision, closest first"),
});

/** Curves and texts of the test set that the report shows. */
export type TestDetails = z.infer<typeof testDetailsSchema>;

/** A text of the test set as the report shows it. */
export type ShownText = TestDetails["mistakes"][number];

/** Writes test-details.json atomically. @throws TailtuneError "disk" */
export async function writeTestDetails(folder: string, details: TestDetails): Promise<void> {
	await writeFileAtomic(join(folder, TEST_DETAILS_FILE), `${JSON.stringify(testDetailsSchema.parse(details))}\n`);
}

/**
 * Reads test-details.json.
 * @returns undefined if there is none
 * @throws TailtuneError "data" if it isn't valid
 */
export async function readTestDetails(folder: string): Promise<TestDetails | undefined> {
	const file = join(folder, TEST_DETAILS_FILE);
	const bytes = await readRegularFile(file, MOST_JSON_BYTES, "data").catch((cause: TailtuneError) => {
		if (cause.code !== "not-found") throw cause;
		return undefined;
	});
	return bytes && parseAs(testDetailsSchema, bytes.toString("utf8"), file);
}
