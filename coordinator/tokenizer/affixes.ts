import { z } from "zod";
import { buildPart } from "./build-part.ts";
import { missingRow } from "./missing-row.ts";
import { partSchema, type TokenizerDefinition, type TokenizerPart } from "./tokenizer-definition.ts";

/** Ids that a tokenizer puts before and after the tokens of every text, for example [CLS] and [SEP]. */
export interface Affixes {
	readonly before: readonly number[];
	readonly after: readonly number[];
}

const NO_AFFIXES: Affixes = { before: [], after: [] };

const TYPES = "ByteLevel, TemplateProcessing, RobertaProcessing, BertProcessing or Sequence";

const id = z.int().min(0);
const pairSchema = z.object({ cls: z.tuple([z.string(), id]), sep: z.tuple([z.string(), id]) });
const templateSchema = z.object({
	single: z.array(
		z.union([z.object({ SpecialToken: z.object({ id: z.string() }) }), z.object({ Sequence: z.object({}) })]),
	),
	special_tokens: z.record(z.string(), z.object({ ids: z.array(id) })),
});
const sequenceSchema = z.object({ processors: z.array(partSchema) });

/**
 * Returns the ids around every text, as the post-processor of a tokenizer defines them.
 * @param size rows of the token embedding
 * @throws TailtuneError "model" if the post-processor can't be used, or an id isn't below `size`
 */
export function affixesOf(definition: TokenizerDefinition, size: number): Affixes {
	const part = definition.json.post_processor;
	if (part === null) return NO_AFFIXES;
	const affixes = buildPart(definition, "post_processor", part, TYPES, affixesOfPart);
	for (const id of [...affixes.before, ...affixes.after])
		if (id >= size) throw missingRow(definition, "post_processor", id, size);
	return affixes;
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
	const specials = new Map(Object.entries(special_tokens));
	const idsOf = (pieces: typeof single) =>
		pieces.flatMap((piece) => {
			const special = "SpecialToken" in piece ? specials.get(piece.SpecialToken.id) : undefined;
			if (special === undefined) throw new Error(JSON.stringify(piece));
			return special.ids;
		});
	if (text < 0) throw new Error("no Sequence");
	return { before: idsOf(single.slice(0, text)), after: idsOf(single.slice(text + 1)) };
}
