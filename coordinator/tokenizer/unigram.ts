import { TailtuneError } from "../../shared/errors.ts";
import { byteTokens } from "./byte-pair.ts";
import type { EncodeWord } from "./cache-words.ts";
import { TokenTrie } from "./token-trie.ts";
import type { TokenizerDefinition } from "./tokenizer-definition.ts";

/** The score of an unknown character is that of the worst token minus this. */
const UNKNOWN_PENALTY = 10;

/** The best division of the beginnings of a word into tokens, by their ends. */
interface BestDivisions {
	/** Beginnings of the last tokens; -1 if no division ends here. */
	readonly starts: Int32Array;
	/** Ids of the last tokens. */
	readonly ids: Int32Array;
}

/**
 * Returns the encoder of a Unigram model (SentencePiece): the division into tokens with the largest sum of scores, the
 * first one of several equal ones. Neighbouring unknown characters count as one token.
 * @throws TailtuneError "model" if the vocabulary has no scores or no unknown token
 */
export function createUnigramEncoder(
	definition: TokenizerDefinition,
	vocabulary: ReadonlyMap<string, number>,
): EncodeWord {
	const { name, json } = definition;
	const { vocab, unk_id: unknown, byte_fallback } = json.model;
	if (!Array.isArray(vocab)) throw new TailtuneError("model", `${name}: model.vocab: expected tokens with scores`);
	if (typeof unknown !== "number" || vocab[unknown] === undefined) {
		const found = `found ${JSON.stringify(unknown)}, expected the id of a token`;
		throw new TailtuneError("model", `${name}: model.unk_id: ${found}`);
	}
	const scores = Float64Array.from(vocab, ([, score]) => score);
	const unknownScore = scores.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY) - UNKNOWN_PENALTY;
	const trie = new TokenTrie(vocabulary);
	const toBytes = byte_fallback === true ? byteTokens(vocabulary) : () => undefined;
	return (word) => {
		const { starts, ids } = findBest(word, trie, scores, { id: unknown, score: unknownScore });
		const tokens: number[] = [];
		for (let end = word.length; end > 0; ) {
			let start = starts[end] as number;
			const isUnknown = ids[end] === unknown;
			while (isUnknown && start > 0 && ids[start] === unknown) start = starts[start] as number;
			if (isUnknown) {
				const text = word.slice(start, end);
				const known = vocabulary.get(text);
				const bytes = known === undefined ? (toBytes(text) ?? [unknown]) : [known];
				for (let i = bytes.length - 1; i >= 0; i--) tokens.push(bytes[i] as number);
			} else tokens.push(ids[end] as number);
			end = start;
		}
		return tokens.reverse();
	};
}

/** Finds the best divisions (Viterbi's algorithm), in the time of the length times that of the longest token. */
function findBest(
	word: string,
	trie: TokenTrie,
	scores: Float64Array,
	unknown: { readonly id: number; readonly score: number },
): BestDivisions {
	const best = new Float64Array(word.length + 1);
	const starts = new Int32Array(word.length + 1).fill(-1);
	const ids = new Int32Array(word.length + 1);
	for (let start = 0; start < word.length; ) {
		const before = best[start] as number;
		const next = start + ((word.codePointAt(start) as number) > 0xffff ? 2 : 1);
		let hasSingle = false;
		const offer = (end: number, id: number, score: number) => {
			if (starts[end] !== -1 && score <= (best[end] as number)) return;
			best[end] = score;
			starts[end] = start;
			ids[end] = id;
		};
		for (let at = start, node = 0; at < word.length; ) {
			node = trie.next(node, word.charCodeAt(at++));
			if (node < 0) break;
			const id = trie.idAt(node);
			if (id < 0) continue;
			offer(at, id, (scores[id] as number) + before);
			hasSingle ||= at === next;
		}
		if (!hasSingle) offer(next, unknown.id, unknown.score + before);
		start = next;
	}
	return { starts, ids };
}
