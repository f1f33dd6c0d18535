import { TailtuneError } from "../../shared/errors.ts";
import type { TokenizerDefinition } from "./tokenizer-definition.ts";

/**
 * Returns the error of an id that isn't below the number of rows of the token embedding.
 * @param place part of the tokenizer with that id
 */
export function missingRow({ name }: TokenizerDefinition, place: string, id: number, size: number): TailtuneError {
	const expected = `expected at most ${size - 1}, because vocab_size in config.json is ${size}`;
	return new TailtuneError("model", `${name}: ${place}: found id ${id}, ${expected}`);
}
