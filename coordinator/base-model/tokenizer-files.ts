import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { asDiskError, writeJson } from "../../shared/files/write-atomic.ts";
import { mergeBytes } from "../data/byte-pairs.ts";
import { TOKEN_BYTES } from "../data/gpt2-vocabulary.ts";

/** GPT-2's only special token: its name and its id. */
export const END_OF_TEXT = { name: "<|endoftext|>", id: 50256 } as const;

/** Whether GPT-2's files write a byte as the Latin-1 character with the same number. */
const isPrintable = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);

/** The character for each byte in GPT-2's files: its Latin-1 character, or one from U+0100 on. */
const CHARACTERS = (() => {
	let others = 0;
	return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : 256 + others++));
})();

/** Returns GPT-2's tokens as written in its files, with their ids, in the order of the ids. */
export function writtenVocabulary(): Map<string, number> {
	const tokens = TOKEN_BYTES.map((bytes, id) => [written(bytes), id] as const);
	return new Map([...tokens, [END_OF_TEXT.name, END_OF_TEXT.id]]);
}

/** Returns GPT-2's merges as written in its files: the two parts of each merged token, in the order of merging. */
function writtenMerges(): string[] {
	return TOKEN_BYTES.flatMap((bytes, id) => {
		if (bytes.length === 1) return [];
		return mergeBytes(bytes, id)
			.map((part) => written(TOKEN_BYTES[part] as string))
			.join(" ");
	});
}

function written(bytes: string): string {
	return Array.from(bytes, (byte) => CHARACTERS[byte.charCodeAt(0)]).join("");
}

/**
 * Writes GPT-2's tokenizer into a model's folder, for transformers and other programs: `tokenizer.json`, `vocab.json`
 * and `merges.txt` (byte for byte as published by OpenAI), and `tokenizer_config.json`. It gives the same tokens as
 * `tokenize`.
 * @param maxTokens length to which a program that cuts texts cuts them, in tokens
 * @throws TailtuneError "disk" if a file can't be written
 */
export async function writeTokenizer(folder: string, maxTokens: number): Promise<void> {
	const vocabulary = writtenVocabulary();
	const merges = writtenMerges();
	const entries = [...vocabulary].map(([token, id]) => `${asciiJson(token)}: ${id}`);
	const texts = {
		"vocab.json": `{${entries.join(", ")}}`,
		"merges.txt": `#version: 0.2\n${merges.join("\n")}\n`,
		"tokenizer.json": JSON.stringify(tokenizer(vocabulary, merges)),
	};
	for (const [name, text] of Object.entries(texts)) {
		const file = join(folder, name);
		await writeFile(file, text).catch((error: unknown) => Promise.reject(asDiskError(file, error)));
	}
	await writeJson(join(folder, "tokenizer_config.json"), settings(maxTokens));
}

/** Formats JSON with ASCII characters only, as Python does. */
function asciiJson(text: string): string {
	const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
	return JSON.stringify(text).replaceAll(/[^\0-~]/g, escaped);
}

/** Builds the content of a `tokenizer.json`, with the field names of Hugging Face's library "tokenizers". */
function tokenizer(vocabulary: ReadonlyMap<string, number>, merges: readonly string[]) {
	const { name, id } = END_OF_TEXT;
	const bytes = { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: true };
	return {
		version: "1.0",
		truncation: null,
		padding: null,
		added_tokens: [
			{ id, content: name, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
		],
		normalizer: null,
		pre_tokenizer: bytes,
		post_processor: bytes,
		decoder: bytes,
		model: {
			type: "BPE",
			dropout: null,
			unk_token: null,
			continuing_subword_prefix: "",
			end_of_word_suffix: "",
			fuse_unk: false,
			byte_fallback: false,
			vocab: Object.fromEntries(vocabulary),
			merges,
		},
	};
}

/** Builds the content of a `tokenizer_config.json`: padding on the right, and names of special tokens read as text. */
function settings(maxTokens: number) {
	return {
		tokenizer_class: "GPT2Tokenizer",
		add_prefix_space: false,
		bos_token: END_OF_TEXT.name,
		eos_token: END_OF_TEXT.name,
		unk_token: END_OF_TEXT.name,
		pad_token: END_OF_TEXT.name,
		padding_side: "right",
		truncation_side: "right",
		model_max_length: maxTokens,
		split_special_tokens: true,
		clean_up_tokenization_spaces: false,
	};
}
