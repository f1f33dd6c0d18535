import { TailtuneError } from "../../shared/errors.ts";
import type { SpecialTokensInTexts } from "../../shared/settings/config.ts";
import { BYTE_CHARACTERS } from "./byte-characters.ts";
import { missingRow } from "./missing-row.ts";
import type { AddedToken, TokenizerDefinition } from "./tokenizer-definition.ts";

/**
 * Finds a token for padding that no text contains: transformers reads the last token that isn't a pad. A special token,
 * the model's own pad token first; otherwise the byte FF, which UTF-8 doesn't use.
 * @param size rows of the token embedding
 * @returns the definition with that token as `special.pad`, and its id
 * @throws TailtuneError "model" that names a token of texts whose id isn't below `size`, or if there is no such token
 */
export function findPad(
	definition: TokenizerDefinition,
	vocabulary: ReadonlyMap<string, number>,
	size: number,
	specialTokens: SpecialTokensInTexts,
): { readonly definition: TokenizerDefinition; readonly padId: number } {
	const { name, json, special } = definition;
	const added = new Map(json.added_tokens.map((token) => [token.content, token]));
	const isSpecial = (content: string | undefined) => content !== undefined && added.get(content)?.special === true;
	const isRead = ({ special }: AddedToken) => specialTokens === "tokens" || !special;
	const ofTexts = json.added_tokens.filter(isRead).map(({ content, id }) => [content, id] as const);
	for (const tokens of [vocabulary, ofTexts])
		for (const [token, id] of tokens)
			if (id >= size) throw missingRow(definition, `token ${JSON.stringify(token)}`, id, size);
	const named = [special.pad, special.eos, special.bos, ...added.keys()];
	const canPad = (content: string | undefined) =>
		isSpecial(content) && content !== json.model.unk_token && (added.get(content as string)?.id ?? size) < size;
	const content = named.find(canPad) ?? (json.model.type === "BPE" ? BYTE_CHARACTERS[0xff] : undefined);
	const padId = content === undefined ? undefined : (added.get(content)?.id ?? vocabulary.get(content));
	if (content === undefined || padId === undefined)
		throw new TailtuneError("model", `${name}: found no special token, expected one with which texts are padded`);
	return { definition: { ...definition, special: { ...special, pad: content } }, padId };
}
