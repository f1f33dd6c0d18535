import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { asDiskError, writeJson } from "../../shared/files/write-atomic.ts";
import { mergeBytes } from "../data/byte-pairs.ts";
import { TOKEN_BYTES } from "../data/gpt2-vocabulary.ts";

/** GPT-2's only special token: its name and its id. */
export const END_OF_TEXT = { name: "<|endoftext|>", id: 50256 } as const;

/** Bytes that GPT-2's files write as the Latin-1 character of the same number. */
const isPrintable = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);

/** The character that stands for each byte in GPT-2's files: itself, or one from U+0100 on. */
const CHARACTERS = (() => {
	let others = 0;
	return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : 256 + others++));
})();

/** GPT-2's tokens as its files write them, with their ids, in the order of these. */
export function writtenVocabulary(): Map<string, number> {
	const tokens = TOKEN_BYTES.map((bytes, id) => [written(bytes), id] as const);
	return new Map([...tokens, [END_OF_TEXT.name, END_OF_TEXT.id]]);
}

/** GPT-2's merges as its files write them: the two parts of each longer token, in the order in which they are made. */
export function writtenMerges(): string[] {
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
 * Writes GPT-2's tokenizer into a model's folder, for transformers and other programs: `tokenizer.json`, `vocab.json` and
 * `merges.txt` (byte for byte those that OpenAI published), and `tokenizer_config.json`. They read a text as `tokenize` does.
 * @param maxTokens texts are cut to so many tokens by a program that cuts them
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

/** JSON text of ASCII characters only, as Python writes it. */
function asciiJson(text: string): string {
	const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
	return JSON.stringify(text).replaceAll(/[^\0-~]/g, escaped);
}

/** The content of a `tokenizer.json`, under the names of Hugging Face's library tokenizers. */
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

/** The content of a `tokenizer_config.json`: pads follow the text, and a special token's name in a text is ordinary text. */
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
