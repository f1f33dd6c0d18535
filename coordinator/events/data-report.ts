import { z } from "zod";
import { LONG_TEXTS } from "../../shared/settings/config.ts";

const count = z.int().min(0);
const texts = z.array(z.string()).readonly();

/** Fields of the event `data-report`. */
export const dataReport = {
	files: z
		.array(
			z.strictObject({
				file: z.string().describe("path of the file or folder"),
				format: z.string().describe("format, separator, encoding and packing, for people"),
				columns: texts.describe("names of the columns, or of the fields of the first row"),
				texts: count.describe("rows that can be used"),
				refused: count.describe("rows that training refuses"),
				refusals: texts.describe("messages about the first of them"),
			}),
		)
		.readonly()
		.describe("the files that would be read"),
	texts: count.describe("texts of all files"),
	classes: z
		.array(z.strictObject({ label: z.string().describe("name of the class"), texts: count.describe("its texts") }))
		.readonly()
		.describe("classes, the most frequent one first"),
	similarLabels: z.array(texts).readonly().describe("groups of labels that differ only in case or white space"),
	unlabelled: count.describe("texts without a label, with `--multi-label`"),
	duplicates: count.describe("texts that equal an earlier one"),
	contradictions: count.describe("texts that equal an earlier one with other labels"),
	contradictionAt: texts.describe("places of the first two texts that contradict each other"),
	overlap: count.describe("texts of `--validation` and `--test` that are also in `--train`"),
	tokens: z
		.strictObject({
			median: count.describe("median length"),
			p95: count.describe("length that 95 of 100 texts don't exceed"),
			longest: count.describe("longest text"),
			total: count.describe("tokens of all texts"),
			computed: count.describe("tokens that a run computes: longer texts are cut, or divided into windows (`--long`)"),
			limit: count.describe("`--max-tokens`, or the model's context"),
			overLimit: count.describe("texts with more tokens than the limit"),
		})
		.describe("lengths in tokens"),
	model: z
		.strictObject({
			name: z.string().describe("`--model`, or GPT-2 small"),
			context: count.describe("most tokens of a text"),
			blocks: count.describe("blocks of the model; all but the last one are frozen"),
			width: count.describe("width of the model"),
		})
		.describe("the model of which context and time are"),
	long: z.enum(LONG_TEXTS).describe("how longer texts are read"),
	trunkSeconds: z
		.number()
		.optional()
		.describe(
			"estimated seconds for the frozen blocks of `model` at this machine's speed; missing if it can't be measured",
		),
	memoryBytes: z.number().describe("estimated memory of a run with `model` in one process, if the last block is tuned"),
	memoryOfAllBytes: z.number().describe("the same with `--trainable all`"),
	trainingSeconds: z
		.number()
		.describe("estimated seconds for all training steps, if the last block is tuned by one process on this machine"),
};
