import { TailtuneError } from "../../shared/errors.ts";
import { BYTE_CHARACTERS } from "./byte-characters.ts";
import { MergeTable } from "./merge-table.ts";
import { type TokenizerDefinition, vocabularyOf } from "./tokenizer-definition.ts";
import { LETTERS, NUMBERS } from "./unicode-classes.ts";

/**
 * Splits a text into words, with the pattern of GPT-2's authors; bytes are merged only within a word. `\s` in that
 * pattern means Unicode's white space, which differs from JavaScript's `\s` (U+0085 is white space, U+FEFF isn't).
 */
const WORDS = new RegExp(
	String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?[L]+| ?[N]+| ?[^\p{White_Space}LN]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+`
		.replaceAll("L", LETTERS)
		.replaceAll("N", NUMBERS),
	"gu",
);

/** Largest number of words with cached tokens; then the cache is emptied. */
const WORDS_CACHED = 50_000;

/** The tokens of longer words aren't cached; in UTF-16 units. */
const LONGEST_CACHED = 100;

/** Encodes a piece of a text; stops when the array has at least `atMost` tokens. */
export type EncodePiece = (text: string, tokens: number[], atMost: number) => void;

const encoder = new TextEncoder();

/**
 * Returns the encoder of a byte-level byte-pair encoding: the same ids as tiktoken and Hugging Face's tokenizers. Half
 * a surrogate pair counts as U+FFFD.
 * @param usesWords whether a piece is divided into GPT-2's words first
 * @throws TailtuneError "model" that names a merge that can't be used
 */
export function createByteLevelEncoder(
	definition: TokenizerDefinition,
	{ prefixSpace, usesWords }: { readonly prefixSpace: boolean; readonly usesWords: boolean },
): EncodePiece {
	const encodeWord = cached(createWordEncoder(definition));
	return (given, tokens, atMost) => {
		const text = prefixSpace && !given.startsWith(" ") ? ` ${given}` : given;
		if (!usesWords) return void pushAll(tokens, encodeWord(text));
		// Not matchAll, which copies the long pattern for each text.
		WORDS.lastIndex = 0;
		for (let match = WORDS.exec(text); match && tokens.length < atMost; match = WORDS.exec(text))
			pushAll(tokens, encodeWord(match[0]));
	};
}

function pushAll(to: number[], tokens: readonly number[]): void {
	for (const token of tokens) to.push(token);
}

function cached(encode: (word: string) => readonly number[]): (word: string) => readonly number[] {
	const known = new Map<string, readonly number[]>();
	return (word) => {
		const found = known.get(word);
		if (found !== undefined) return found;
		const tokens = encode(word);
		if (word.length > LONGEST_CACHED) return tokens;
		if (known.size >= WORDS_CACHED) known.clear();
		known.set(word, tokens);
		return tokens;
	};
}

function createWordEncoder(definition: TokenizerDefinition): (word: string) => readonly number[] {
	const { unk_token, fuse_unk, ignore_merges } = definition.json.model;
	const vocabulary = vocabularyOf(definition);
	const merges = readMerges(definition, vocabulary);
	const ofByte = BYTE_CHARACTERS.map((character) => vocabulary.get(character));
	const unknown = unk_token == null ? undefined : vocabulary.get(unk_token);
	return (word) => {
		const bytes = encoder.encode(word);
		if (ignore_merges === true) {
			const whole = vocabulary.get(Array.from(bytes, (byte) => BYTE_CHARACTERS[byte]).join(""));
			if (whole !== undefined) return [whole];
		}
		const symbols: number[] = [];
		let isUnknown = false;
		for (const byte of bytes) {
			const id = ofByte[byte] ?? unknown;
			const wasUnknown = isUnknown;
			isUnknown = ofByte[byte] === undefined;
			if (id !== undefined && !(isUnknown && wasUnknown && fuse_unk === true)) symbols.push(id);
		}
		return merges.encode(symbols);
	};
}

function readMerges({ name, json }: TokenizerDefinition, vocabulary: ReadonlyMap<string, number>): MergeTable {
	const { merges = [] } = json.model;
	const table = new MergeTable(merges.length);
	for (const [index, merge] of merges.entries()) {
		const [left = "", right = "", ...more] = typeof merge === "string" ? merge.split(" ") : merge;
		const ids = [left, right, `${left}${right}`].map((token) => vocabulary.get(token));
		const [first, second, merged] = ids;
		if (first === undefined || second === undefined || merged === undefined || more.length > 0) {
			const found = `found ${JSON.stringify(merge).slice(0, 100)}`;
			throw new TailtuneError("model", `${name}: merges.${index}: ${found}, expected two tokens that form a token`);
		}
		table.add(first, second, merged);
	}
	return table;
}
