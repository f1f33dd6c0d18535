import { createBytePairEncoder } from "./byte-pair.ts";
import { cacheWords, type EncodeWord } from "./cache-words.ts";
import type { TokenizerDefinition } from "./tokenizer-definition.ts";
import { createUnigramEncoder } from "./unigram.ts";
import { createWordPieceEncoder } from "./word-piece.ts";

const ENCODERS = { BPE: createBytePairEncoder, Unigram: createUnigramEncoder, WordPiece: createWordPieceEncoder };

/**
 * Creates the encoder of a tokenizer's words, for any model.
 * @throws TailtuneError "model" if the model can't be used
 */
export function createWordEncoder(
	definition: TokenizerDefinition,
	vocabulary: ReadonlyMap<string, number>,
): EncodeWord {
	return cacheWords(ENCODERS[definition.json.model.type](definition, vocabulary));
}
