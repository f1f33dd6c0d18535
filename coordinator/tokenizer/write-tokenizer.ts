import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { asDiskError, writeJson } from "../../shared/files/write-atomic.ts";
import type { Tokenizer } from "./tokenizer.ts";
import type { TokenizerJson } from "./tokenizer-definition.ts";

/**
 * Writes a tokenizer into a model's folder, for transformers and other programs: `tokenizer.json`,
 * `tokenizer_config.json`, and for byte-pair encoding also `vocab.json` and `merges.txt` (for GPT-2's byte for byte as
 * published by OpenAI). Programs that read these files make the same tokens.
 * @param maxTokens length to which a program that cuts texts cuts them, in tokens
 * @throws TailtuneError "disk" if a file can't be written
 */
export async function writeTokenizer(folder: string, tokenizer: Tokenizer, maxTokens: number): Promise<void> {
	const { json } = tokenizer.definition;
	const texts = {
		"tokenizer.json": JSON.stringify({ version: "1.0", truncation: null, padding: null, ...json }),
		...pairFiles(json.model),
	};
	for (const [name, text] of Object.entries(texts)) {
		const file = join(folder, name);
		await writeFile(file, text).catch((error: unknown) => Promise.reject(asDiskError(file, error)));
	}
	await writeJson(join(folder, "tokenizer_config.json"), settingsOf(tokenizer, maxTokens));
}

/** Returns the contents of the two files of a byte-pair encoding; none for other models. */
function pairFiles({ vocab, merges }: TokenizerJson["model"]): Record<string, string> {
	if (Array.isArray(vocab) || merges === undefined) return {};
	const entries = Object.entries(vocab).sort(([, a], [, b]) => a - b);
	const lines = merges.map((merge) => (typeof merge === "string" ? merge : merge.join(" ")));
	return {
		"vocab.json": `{${entries.map(([token, id]) => `${asciiJson(token)}: ${id}`).join(", ")}}`,
		"merges.txt": `#version: 0.2\n${lines.join("\n")}\n`,
	};
}

/** Formats JSON with ASCII characters only, as Python does. */
function asciiJson(text: string): string {
	const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
	return JSON.stringify(text).replaceAll(/[^\0-~]/g, escaped);
}

/**
 * Builds the content of a `tokenizer_config.json`. Its class takes all of `tokenizer.json`; transformers' GPT2Tokenizer
 * would only take the vocabulary and the merges.
 */
function settingsOf({ definition, specialTokens }: Tokenizer, maxTokens: number) {
	const { pad, eos, bos, unk } = definition.special;
	return {
		tokenizer_class: "PreTrainedTokenizerFast",
		...(bos !== undefined && { bos_token: bos }),
		...(eos !== undefined && { eos_token: eos }),
		...(unk !== undefined && { unk_token: unk }),
		pad_token: pad,
		padding_side: "right",
		truncation_side: "right",
		model_max_length: maxTokens,
		split_special_tokens: specialTokens === "text",
		clean_up_tokenization_spaces: false,
	};
}
