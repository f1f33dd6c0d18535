import ranks from "gpt-tokenizer/bpeRanks/r50k_base";

/** The bytes of each of GPT-2's 50,256 ordinary tokens, by id; one character from U+0000 to U+00FF for each byte. */
export const TOKEN_BYTES: readonly string[] = ranks.map((bytes) =>
	(typeof bytes === "string" ? Buffer.from(bytes) : Buffer.from(bytes)).toString("latin1"),
);

/** Token ids by the tokens' bytes. */
export const ID_OF_BYTES: ReadonlyMap<string, number> = new Map(TOKEN_BYTES.map((bytes, id) => [bytes, id]));
