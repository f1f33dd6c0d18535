import { loadGpt2Tokenizer } from "../coordinator/tokenizer/load-tokenizer.ts";

/** GPT-2's own tokenizer. */
export const gpt2 = await loadGpt2Tokenizer();

/** Makes the tokens of texts with GPT-2's own tokenizer. */
export const tokenize = gpt2.tokenize;
