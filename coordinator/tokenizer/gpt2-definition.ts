import ranks from "gpt-tokenizer/bpeRanks/r50k_base";
import { writeBytes } from "./byte-characters.ts";
import { MergeTable } from "./merge-table.ts";
import type { TokenizerDefinition } from "./tokenizer-definition.ts";

const END_OF_TEXT = "<|endoftext|>";

/** Builds the definition of GPT-2's own tokenizer from the vocabulary in the package `gpt-tokenizer`. */
export function buildGpt2Definition(): TokenizerDefinition {
	const tokens = ranks.map((bytes) => Buffer.from(typeof bytes === "string" ? Buffer.from(bytes) : bytes));
	const written = tokens.map(writeBytes);
	const id = tokens.length;
	const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
	const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: true };
	return {
		name: "GPT-2",
		json: {
			added_tokens: [{ id, content: END_OF_TEXT, ...flags }],
			normalizer: null,
			pre_tokenizer: byteLevel,
			post_processor: byteLevel,
			decoder: byteLevel,
			model: {
				type: "BPE",
				dropout: null,
				unk_token: null,
				continuing_subword_prefix: "",
				end_of_word_suffix: "",
				fuse_unk: false,
				byte_fallback: false,
				vocab: Object.fromEntries([...written, END_OF_TEXT].map((token, index) => [token, index])),
				merges: findMerges(tokens).map(([left, right]) => `${written[left]} ${written[right]}`),
			},
		},
		special: { pad: END_OF_TEXT, eos: END_OF_TEXT, bos: END_OF_TEXT, unk: END_OF_TEXT },
	};
}

/** Finds the two parts of each token of several bytes: the two tokens that are left if only earlier merges are used. */
function findMerges(tokens: readonly Uint8Array[]): [number, number][] {
	const table = new MergeTable(tokens.length);
	const ofByte: number[] = [];
	for (const [id, bytes] of tokens.entries()) if (bytes.length === 1) ofByte[bytes[0] as number] = id;
	return tokens.flatMap((bytes, id) => {
		if (bytes.length === 1) return [];
		const [left = 0, right = 0] = table.encode(Array.from(bytes, (byte) => ofByte[byte] as number));
		table.add(left, right, id);
		return [[left, right] as [number, number]];
	});
}
