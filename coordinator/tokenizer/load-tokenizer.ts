import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { TailtuneError } from "../../shared/errors.ts";
import { MOST_JSON_BYTES, readRegularFile } from "../../shared/files/regular-file.ts";
import type { SpecialTokensInTexts } from "../../shared/settings/config.ts";
import { readDefinition, TOKENIZER_FILES } from "./read-definition.ts";
import { createTokenizer, type Tokenizer } from "./tokenizer.ts";

/** The tokenizer that was loaded last. Servers, sweeps and evaluations load the same one again and again. */
let last: { readonly key: string; readonly tokenizer: Tokenizer } | undefined;

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
	const findKey = async () => `${await hashTokenizerFiles(folder)} ${size} ${specialTokens}`;
	const key = await findKey();
	if (last?.key === key) return last.tokenizer;
	const tokenizer = await createTokenizer(await readDefinition(folder, size), size, specialTokens);
	// Not if the files were replaced meanwhile.
	if (key === (await findKey())) last = { key, tokenizer };
	return tokenizer;
}

/** Returns a hash over the names and contents of a folder's tokenizer files. */
async function hashTokenizerFiles(folder: string): Promise<string> {
	const names = new Set(await readdir(folder));
	const hash = createHash("sha256");
	for (const name of TOKENIZER_FILES) {
		if (!names.has(name)) continue;
		const bytes = await readRegularFile(join(folder, name), MOST_JSON_BYTES, "model");
		hash.update(`${name} ${bytes.length} `).update(bytes);
	}
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
