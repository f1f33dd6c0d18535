import { TailtuneError } from "../../shared/errors.ts";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import { rowsOfTexts } from "../../shared/updates/embedding-rows.ts";
import type { RowTable } from "../../shared/updates/gradient-form.ts";

/** Token and position embeddings: [vocab, width] and [positions, width], row-major. */
export interface Embedding {
	readonly tokens: Float32Array;
	readonly positions: Float32Array;
	readonly width: number;
}

/** Reads the tables of a model. */
export async function readEmbedding(model: ModelFiles): Promise<Embedding> {
	const [tokens, positions] = await Promise.all([model.read("wte.weight"), model.read("wpe.weight")]);
	return { tokens, positions, width: model.config.n_embd };
}

/** Returns the tables among the views of a parameter vector; undefined if it holds none. */
export function embeddingOf(views: ReadonlyMap<string, Float32Array>, width: number): Embedding | undefined {
	const tokens = views.get("wte.weight");
	const positions = views.get("wpe.weight");
	return tokens && positions && { tokens, positions, width };
}

/**
 * Computes the hidden states before the first block: the row of each token plus the row of its position. This uses
 * plain arrays, since the tables are large and few of their rows are needed.
 * @returns [tokens, width]
 * @throws TailtuneError "engine" if a token or the text's length is outside of a table
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
 * Writes the gradient of the embedding tables' rows that the texts use: adds one text after the other, row by row.
 * @param states gradient of each text's hidden states [rows, width]; tokens beyond these rows have no gradient
 * @param target [rows, width]: the rows in the order of `rowsOfTexts`
 */
export function writeRowGradient(
	texts: readonly { readonly tokens: Uint32Array }[],
	states: readonly Float32Array[],
	table: RowTable,
	target: Float32Array,
): void {
	const { width } = table;
	const places = new Map([...rowsOfTexts({ table }, texts)].map((row, i) => [row, i * width]));
	const addRow = (row: number, text: Float32Array, from: number) => {
		const at = places.get(row) as number;
		for (let i = 0; i < width; i++) target[at + i] = (target[at + i] as number) + (text[from + i] as number);
	};
	target.fill(0);
	for (const [index, text] of states.entries()) {
		for (const [position, token] of (texts[index]?.tokens ?? []).entries()) {
			if ((position + 1) * width > text.length) break;
			addRow(token, text, position * width);
			addRow(table.tokens + position, text, position * width);
		}
	}
}
