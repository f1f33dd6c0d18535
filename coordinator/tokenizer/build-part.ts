import { TailtuneError } from "../../shared/errors.ts";
import type { TokenizerDefinition, TokenizerPart } from "./tokenizer-definition.ts";

/**
 * Builds a part of a tokenizer.
 * @param key the part's name in a tokenizer.json
 * @param types types that can be used, for the message
 * @param build throws if the part can't be used
 * @throws TailtuneError "model" that names the part, with the value found and the types expected
 */
export function buildPart<T>(
	{ name }: TokenizerDefinition,
	key: string,
	part: TokenizerPart,
	types: string,
	build: (part: TokenizerPart) => T,
): T {
	try {
		return build(part);
	} catch (cause) {
		const found = `found ${JSON.stringify(part).slice(0, 200)}`;
		throw new TailtuneError("model", `${name}: ${key}: ${found}, expected ${types}`, { cause });
	}
}
