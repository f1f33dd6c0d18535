import { z } from "zod";
import { TailtuneError } from "../../shared/errors.ts";
import type { TokenizerDefinition, TokenizerPart } from "./tokenizer-definition.ts";

/** Ids that a tokenizer puts before and after the tokens of every text, for example [CLS] and [SEP]. */
export interface Affixes {
	readonly before: readonly number[];
	readonly after: readonly number[];
}

const NO_AFFIXES: Affixes = { before: [], after: [] };

const id = z.int().min(0);
const pairSchema = z.object({ cls: z.tuple([z.string(), id]), sep: z.tuple([z.string(), id]) });
const templateSchema = z.object({
	single: z.array(
		z.union([z.object({ SpecialToken: z.object({ id: z.string() }) }), z.object({ Sequence: z.object({}) })]),
	),
	special_tokens: z.record(z.string(), z.object({ ids: z.array(id) })),
});
const sequenceSchema = z.object({ processors: z.array(z.looseObject({ type: z.string() })) });

/**
 * Returns the ids around every text, as the post-processor of a tokenizer defines them.
 * @throws TailtuneError "model" if the post-processor isn't one of Hugging Face's
 */
export function affixesOf({ name, json }: TokenizerDefinition): Affixes {
	try {
		return json.post_processor === null ? NO_AFFIXES : affixesOfPart(json.post_processor);
	} catch (cause) {
		const found = `found ${JSON.stringify(json.post_processor).slice(0, 200)}`;
		const expected = "expected ByteLevel, TemplateProcessing, RobertaProcessing, BertProcessing or Sequence";
		throw new TailtuneError("model", `${name}: post_processor: ${found}, ${expected}`, { cause });
	}
}

function affixesOfPart(part: TokenizerPart): Affixes {
	switch (part.type) {
		case "ByteLevel":
			return NO_AFFIXES;
		case "BertProcessing":
		case "RobertaProcessing": {
			const { cls, sep } = pairSchema.parse(part);
			return { before: [cls[1]], after: [sep[1]] };
		}
		case "TemplateProcessing":
			return affixesOfTemplate(templateSchema.parse(part));
		case "Sequence": {
			const all = sequenceSchema.parse(part).processors.map(affixesOfPart);
			return {
				before: all
					.map(({ before }) => before)
					.reverse()
					.flat(),
				after: all.flatMap(({ after }) => after),
			};
		}
		default:
			throw new Error(part.type);
	}
}

function affixesOfTemplate({ single, special_tokens }: z.infer<typeof templateSchema>): Affixes {
	const text = single.findIndex((piece) => "Sequence" in piece);
	const idsOf = (pieces: typeof single) =>
		pieces.flatMap((piece) => ("SpecialToken" in piece ? (special_tokens[piece.SpecialToken.id]?.ids ?? []) : []));
	return { before: idsOf(single.slice(0, text)), after: idsOf(single.slice(text)) };
}
