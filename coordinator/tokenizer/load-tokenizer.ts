import { createHash } from "node:crypto";
import { TailtuneError } from "../../shared/errors.ts";
import type { SpecialTokensInTexts } from "../../shared/settings/config.ts";
import { parseDefinition } from "./read-definition.ts";
import { readTokenizerFiles, type TokenizerFiles } from "./read-files.ts";
import { createTokenizer, type Tokenizer } from "./tokenizer.ts";

/** The tokenizer that was loaded last. Servers, sweeps and evaluations load the same one again and again. */
let last: { readonly key: string; readonly tokenizer: Tokenizer } | undefined;

/**
 * Loads the tokenizer of a model folder.
 * @param size rows of the token embedding
 * @throws TailtuneError "model" as `parseDefinition` and `createTokenizer`
 */
export async function loadTokenizer(
	folder: string,
	size: number,
	specialTokens: SpecialTokensInTexts,
): Promise<Tokenizer> {
	const files = await readTokenizerFiles(folder);
	const key = `${hashFiles(files)} ${size} ${specialTokens}`;
	if (last?.key === key) return last.tokenizer;
	const tokenizer = await createTokenizer(await parseDefinition(files, size), size, specialTokens);
	last = { key, tokenizer };
	return tokenizer;
}

/** Returns a hash over the names and contents of a folder's tokenizer files. */
function hashFiles({ contents }: TokenizerFiles): string {
	const hash = createHash("sha256");
	for (const [name, bytes] of contents) hash.update(`${name} ${bytes.length} `).update(bytes);
	return hash.digest("hex");
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
	throw new TailtuneError("model", `${folder}: ${found}, expected that of the training run (${hash.slice(0, 12)})`);
}
