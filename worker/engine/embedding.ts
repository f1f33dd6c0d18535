import { TailtuneError } from "../../shared/errors.ts";
import type { ModelFiles } from "../../shared/model/model-files.ts";

/** Whether a parameter is one of the two tables. */
export function isEmbedding(name: string): boolean {
	return name === "wte.weight" || name === "wpe.weight";
}

/** Token and position embeddings: [vocab, width] and [positions, width], row-major. */
export interface Embedding {
	readonly tokens: Float32Array;
	readonly positions: Float32Array;
	readonly width: number;
}

/** The tables of a model. */
export async function readEmbedding(model: ModelFiles): Promise<Embedding> {
	const [tokens, positions] = await Promise.all([model.read("wte.weight"), model.read("wpe.weight")]);
	return { tokens, positions, width: model.config.n_embd };
}

/** The tables among the views of a parameter vector; undefined where it has none. */
export function embeddingOf(views: ReadonlyMap<string, Float32Array>, width: number): Embedding | undefined {
	const tokens = views.get("wte.weight");
	const positions = views.get("wpe.weight");
	return tokens && positions && { tokens, positions, width };
}

/**
 * Hidden states before the first block: a token's row plus its position's. Done in plain arrays, since the tables are large
 * and few of their rows are used.
 * @returns [tokens, width]
 * @throws TailtuneError "engine" where a token or the text's length is beyond a table
 */
export function embed(text: Uint32Array, { tokens, positions, width }: Embedding): Float32Array {
	const context = positions.length / width;
	if (text.length > context) {
		throw new TailtuneError("engine", `text of ${text.length} tokens: expected at most ${context}`);
	}
	const states = new Float32Array(text.length * width);
	for (const [position, token] of text.entries()) {
		if (token * width >= tokens.length) {
			throw new TailtuneError("engine", `token ${token}: expected below ${tokens.length / width}`);
		}
		for (let i = 0; i < width; i++) {
			states[position * width + i] =
				(tokens[token * width + i] as number) + (positions[position * width + i] as number);
		}
	}
	return states;
}

/**
 * Adds the gradient of embedded texts to the gradients of both tables: one text after the other, row by row.
 * @param states [rows, width] of each text; its tokens beyond these rows have no gradient
 */
export function addEmbeddingGradient(
	texts: readonly Uint32Array[],
	states: readonly Float32Array[],
	into: Embedding,
): void {
	const { width } = into;
	const add = (table: Float32Array, row: number, own: Float32Array, from: number) => {
		for (let i = 0; i < width; i++) {
			table[row * width + i] = (table[row * width + i] as number) + (own[from * width + i] as number);
		}
	};
	for (const [index, own] of states.entries()) {
		for (const [position, token] of (texts[index] ?? new Uint32Array()).subarray(0, own.length / width).entries()) {
			add(into.tokens, token, own, position);
			add(into.positions, position, own, position);
		}
	}
}
