import { TailtuneError } from "../../shared/errors.ts";
import type { EncodeWord } from "./cache-words.ts";
import { MergeTable } from "./merge-table.ts";
import type { TokenizerDefinition } from "./tokenizer-definition.ts";

const encoder = new TextEncoder();

/**
 * Returns a function that writes a text with the tokens of its bytes, `<0x00>` to `<0xFF>`. It returns undefined if
 * one of them isn't in the vocabulary.
 */
export function byteTokens(vocabulary: ReadonlyMap<string, number>): (text: string) => number[] | undefined {
	const ofByte = Array.from({ length: 256 }, (_, byte) =>
		vocabulary.get(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`),
	);
	return (text) => {
		const ids = Array.from(encoder.encode(text), (byte) => ofByte[byte]);
		return ids.includes(undefined) ? undefined : (ids as number[]);
	};
}

/**
 * Returns the encoder of a byte-pair encoding whose symbols are characters, for example SentencePiece's.
 * @throws TailtuneError "model" that names a merge that can't be used
 */
export function createBytePairEncoder(
	definition: TokenizerDefinition,
	vocabulary: ReadonlyMap<string, number>,
): EncodeWord {
	const { model } = definition.json;
	const prefix = model.continuing_subword_prefix ?? "";
	const suffix = model.end_of_word_suffix ?? "";
	const merges = readMerges(definition, vocabulary, prefix.length);
	const unknown = model.unk_token == null ? undefined : vocabulary.get(model.unk_token);
	const toBytes = model.byte_fallback === true ? byteTokens(vocabulary) : () => undefined;
	return (word) => {
		if (model.ignore_merges === true && vocabulary.has(word)) return [vocabulary.get(word) as number];
		const symbols: number[] = [];
		let isPending = false;
		const addPending = () => {
			if (isPending && unknown !== undefined) symbols.push(unknown);
			isPending = false;
		};
		for (let at = 0; at < word.length; ) {
			const end = at + ((word.codePointAt(at) as number) > 0xffff ? 2 : 1);
			const symbol = `${at > 0 ? prefix : ""}${word.slice(at, end)}${end === word.length ? suffix : ""}`;
			at = end;
			const id = vocabulary.get(symbol);
			const bytes = id === undefined ? toBytes(symbol) : undefined;
			// As in Hugging Face's library, an unknown character comes after the bytes of those that follow.
			if (bytes) for (const byte of bytes) symbols.push(byte);
			else {
				if (id !== undefined || model.fuse_unk !== true) addPending();
				if (id !== undefined) symbols.push(id);
				else isPending = true;
			}
		}
		addPending();
		return merges.encode(symbols);
	};
}

/**
 * Reads the merges of a byte-pair encoding.
 * @param prefixLength length of the mark of tokens inside a word, which a merged token has only at its beginning
 * @throws TailtuneError "model" that names a merge that can't be used
 */
export function readMerges(
	{ name, json }: TokenizerDefinition,
	vocabulary: ReadonlyMap<string, number>,
	prefixLength = 0,
): MergeTable {
	const { merges = [] } = json.model;
	const table = new MergeTable(merges.length);
	for (const [index, merge] of merges.entries()) {
		const [left = "", right = "", ...more] = typeof merge === "string" ? merge.split(" ") : merge;
		const first = vocabulary.get(left);
		const second = vocabulary.get(right);
		const merged = vocabulary.get(`${left}${right.slice(prefixLength)}`);
		if (first === undefined || second === undefined || merged === undefined || more.length > 0) {
			const found = `found ${JSON.stringify(merge).slice(0, 100)}`;
			throw new TailtuneError("model", `${name}: merges.${index}: ${found}, expected two tokens that form a token`);
		}
		table.add(first, second, merged);
	}
	return table;
}
