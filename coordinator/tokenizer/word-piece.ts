import { TailtuneError } from "../../shared/errors.ts";
import type { EncodeWord } from "./cache-words.ts";
import { TokenTrie } from "./token-trie.ts";
import type { TokenizerDefinition } from "./tokenizer-definition.ts";

/**
 * Returns the encoder of BERT's WordPiece: from left to right the longest token that fits; a word that can't be divided
 * in this way, or is too long, is the unknown token.
 * @throws TailtuneError "model" if the unknown token isn't in the vocabulary
 */
export function createWordPieceEncoder(
	{ name, json }: TokenizerDefinition,
	vocabulary: ReadonlyMap<string, number>,
): EncodeWord {
	const { unk_token, max_input_chars_per_word: longest = 100 } = json.model;
	const prefix = json.model.continuing_subword_prefix ?? "##";
	const unknown = unk_token == null ? undefined : vocabulary.get(unk_token);
	if (unknown === undefined) {
		const found = `found ${JSON.stringify(unk_token)}, expected a token of the vocabulary`;
		throw new TailtuneError("model", `${name}: model.unk_token: ${found}`);
	}
	const first = new TokenTrie(vocabulary);
	const continuing = [...vocabulary].filter(([token]) => token.startsWith(prefix));
	const later = new TokenTrie(new Map(continuing.map(([token, id]) => [token.slice(prefix.length), id])));
	return (word) => {
		if (word.length > longest && countCharacters(word) > longest) return [unknown];
		const ids: number[] = [];
		for (let start = 0; start < word.length; ) {
			const trie = start === 0 ? first : later;
			let [id, end] = [-1, start];
			for (let at = start, node = 0; at < word.length; ) {
				node = trie.next(node, word.charCodeAt(at++));
				if (node < 0) break;
				if (trie.idAt(node) < 0) continue;
				id = trie.idAt(node);
				end = at;
			}
			if (end === start) return [unknown];
			ids.push(id);
			start = end;
		}
		return ids;
	};
}

function countCharacters(text: string): number {
	let count = 0;
	for (const _ of text) count++;
	return count;
}
