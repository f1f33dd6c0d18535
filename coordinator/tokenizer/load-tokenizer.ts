import { TailtuneError } from "../../shared/errors.ts";
import type { SpecialTokensInTexts } from "../../shared/settings/config.ts";
import { readDefinition } from "./read-definition.ts";
import { createTokenizer, type Tokenizer } from "./tokenizer.ts";

/**
 * Loads the tokenizer of a model folder.
 * @param size rows of the token embedding
 * @throws TailtuneError "model" as `readDefinition` and `createTokenizer`
 */
export async function loadTokenizer(
	folder: string,
	size: number,
	specialTokens: SpecialTokensInTexts,
): Promise<Tokenizer> {
	return createTokenizer(await readDefinition(folder, size), size, specialTokens);
}

/** Loads GPT-2's own tokenizer. */
export async function loadGpt2Tokenizer(): Promise<Tokenizer> {
	const { buildGpt2Definition } = await import("./gpt2-definition.ts");
	return createTokenizer(buildGpt2Definition(), 50257, "text");
}

/**
 * Loads the tokenizer of a tuned model, which must be that of its training run.
 * @param hash the tokenizer's hash in the training run
 * @throws TailtuneError "model" as `loadTokenizer`, or if the hash differs
 */
export async function loadRunTokenizer(
	folder: string,
	size: number,
	{ specialTokens, tokenizer: hash }: { readonly specialTokens: SpecialTokensInTexts; readonly tokenizer: string },
): Promise<Tokenizer> {
	const tokenizer = await loadTokenizer(folder, size, specialTokens);
	if (tokenizer.hash === hash) return tokenizer;
	const found = `found another tokenizer (sha256 ${tokenizer.hash.slice(0, 12)})`;
	throw new TailtuneError(
		"model",
		`${tokenizer.definition.name}: ${found}, expected that of the training run (${hash.slice(0, 12)})`,
	);
}
