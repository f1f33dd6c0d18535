import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { parseJsonText } from "../../shared/files/json-file.ts";
import { MOST_JSON_BYTES, readRegularFile } from "../../shared/files/regular-file.ts";

export const TOKENIZER_FILE = "tokenizer.json";
export const VOCABULARY_FILE = "vocab.json";
export const MERGES_FILE = "merges.txt";
export const WORD_PIECE_FILE = "vocab.txt";
export const ADDED_FILE = "added_tokens.json";
export const SETTINGS_FILES: readonly string[] = ["tokenizer_config.json", "special_tokens_map.json"];

/** Files of tokenizers that can't be used without a `tokenizer.json`. */
export const OTHER_FILES: readonly string[] = ["spiece.model", "sentencepiece.bpe.model", "tokenizer.model"];

/** Names of files that describe a model's tokenizer. */
export const TOKENIZER_FILES: readonly string[] = [
	...[TOKENIZER_FILE, VOCABULARY_FILE, MERGES_FILE, WORD_PIECE_FILE, ADDED_FILE, ...SETTINGS_FILES],
	...OTHER_FILES,
];

/** The tokenizer files of a folder. */
export interface TokenizerFiles {
	readonly folder: string;
	/** By name, in the order of `TOKENIZER_FILES`. */
	readonly contents: ReadonlyMap<string, Buffer>;
}

/**
 * Reads the tokenizer files of a folder.
 * @throws TailtuneError "model" if a file can't be read
 */
export async function readTokenizerFiles(folder: string): Promise<TokenizerFiles> {
	const names = new Set(await readdir(folder));
	const contents = new Map<string, Buffer>();
	for (const name of TOKENIZER_FILES) {
		if (names.has(name)) contents.set(name, await readRegularFile(join(folder, name), MOST_JSON_BYTES, "model"));
	}
	return { folder, contents };
}

/**
 * Parses one of the files.
 * @throws TailtuneError "model" as `parseJsonText`
 */
export function parseTokenizerFile({ folder, contents }: TokenizerFiles, name: string): unknown {
	return parseJsonText(contents.get(name)?.toString("utf8") ?? "", join(folder, name), "model");
}
