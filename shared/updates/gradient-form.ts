import type { TailSpec } from "../messages.ts";
import type { Gpt2Config } from "../model/gpt2-config.ts";
import { isEmbedding, type ParameterEntry, parameterLayout } from "../model/parameter-layout.ts";
import { countFrozenBlocks, hasLora } from "../model/tail-spec.ts";
import type { OuterProducts } from "../vectors/pack-factors.ts";

/** Numbers of the trained vector whose gradient is sent as it is. */
export interface DenseRange {
	readonly name: string;
	/** Index of the first one in the trained vector, and their number. */
	readonly offset: number;
	readonly size: number;
}

/**
 * A block of a weight whose gradient is sent as factors: the sum over texts of the outer products of their left and
 * right factors. The columns of several heads lie side by side; each head has factors of its own.
 */
export interface FactorBlock {
	/** Name of the weight in the layout, and the position of the block in it: 0; for query, key and value 0, 1 and 2. */
	readonly name: string;
	readonly index: number;
	readonly heads: number;
	/** Length of a head's left factor, and of its right factor. */
	readonly rows: number;
	readonly columns: number;
	/** Index of the first number of the block in the trained vector, and the distance between two of its rows. */
	readonly offset: number;
	readonly stride: number;
}

/**
 * Both embedding tables, which are the start of the trained vector: one row per token of the vocabulary, then one row
 * per position. Of their gradient only the rows of tokens and positions that occur in the texts are sent: all others
 * are zeros.
 */
export interface RowTable {
	/** Number of tokens, and of all rows. */
	readonly tokens: number;
	readonly count: number;
	/** Numbers per row. */
	readonly width: number;
}

/** Consecutive numbers of the trained vector that all belong to matrices, or all to vectors: biases and norms. */
export interface DecayGroup {
	readonly offset: number;
	readonly size: number;
	readonly isMatrix: boolean;
}

/**
 * The form in which the gradient of some texts is sent and added. It is one vector: first all dense ranges, then for
 * each block its left factors [texts, heads, rows] and its right factors [texts, heads, columns], then rows of the
 * embedding tables. It depends on the plan only, not on the workers, and so do the bits of the sum.
 */
export interface GradientForm {
	readonly dense: readonly DenseRange[];
	readonly factors: readonly FactorBlock[];
	/** Unset if the embeddings aren't trained. */
	readonly table?: RowTable | undefined;
	/** The whole trained vector, in order. */
	readonly decayGroups: readonly DecayGroup[];
	/** Numbers of the trained vector. */
	readonly trainedSize: number;
	/** Numbers of all dense ranges, and numbers of factors per text. */
	readonly denseSize: number;
	readonly factorSize: number;
	/** The form of the gradient of a part of at most `FEW_TEXTS` texts; unset: this one. */
	readonly ofFewTexts?: GradientForm | undefined;
}

/**
 * Texts of a part whose gradient may have more factors than that of its step. With more texts, multiplying factors out
 * takes longer than an engine needs to compute the product, which would slow down a step in one process.
 */
export const FEW_TEXTS = 16;

/**
 * Returns the form of a run's gradients. A weight's gradient is sent as factors if these have fewer numbers for the
 * texts of one step ("sufficient factors", Xie et al. 2016, "Lighter-Communication Distributed Machine Learning via
 * Sufficient Factor Broadcasting"; decided for each weight as in Zhang et al. 2017, "Poseidon").
 * @param factorTexts texts per optimizer step if the head reads one row of every text; 0: the whole gradient is dense
 */
export function gradientForm(spec: TailSpec, config: Gpt2Config, factorTexts: number): GradientForm {
	const form = formFor(spec, config, factorTexts);
	const ofFewTexts = formFor(spec, config, Math.min(factorTexts, FEW_TEXTS));
	return ofFewTexts.factors.length > form.factors.length ? { ...form, ofFewTexts } : form;
}

/** Returns the form in which the gradient of a part of a step is sent. It depends on the plan only, too. */
export function formOfPart(form: GradientForm, texts: number): GradientForm {
	return (texts <= FEW_TEXTS && form.ofFewTexts) || form;
}

function formFor(spec: TailSpec, config: Gpt2Config, factorTexts: number): GradientForm {
	const { entries, trainedSize } = parameterLayout(spec, config);
	const dense: DenseRange[] = [];
	const factors: FactorBlock[] = [];
	const table = entries.some(({ name }) => isEmbedding(name)) ? rowTable(config) : undefined;
	for (const entry of entries) {
		if (entry.offset >= trainedSize || isEmbedding(entry.name)) continue;
		const blocks = factorTexts > 0 ? factorBlocks(entry, spec, config) : [];
		if (blocks.length > 0 && factorTexts * sizeOf(blocks) < entry.size) factors.push(...blocks);
		else dense.push({ name: entry.name, offset: entry.offset, size: entry.size });
	}
	const denseSize = dense.reduce((sum, { size }) => sum + size, 0);
	const decayGroups = groupByDecay(entries.filter(({ offset }) => offset < trainedSize));
	return { dense, factors, table, decayGroups, trainedSize, denseSize, factorSize: sizeOf(factors) };
}

function rowTable({ vocab_size: tokens, n_positions, n_embd: width }: Gpt2Config): RowTable {
	return { tokens, count: tokens + n_positions, width };
}

function groupByDecay(entries: readonly ParameterEntry[]): DecayGroup[] {
	const groups: DecayGroup[] = [];
	for (const { offset, size, shape } of entries) {
		const isMatrix = shape.length > 1;
		const last = groups.at(-1);
		if (last?.isMatrix === isMatrix) groups[groups.length - 1] = { ...last, size: last.size + size };
		else groups.push({ offset, size, isMatrix });
	}
	return groups;
}

/** Returns the numbers of both embedding tables; 0 if they aren't trained. */
export function tableSize({ table }: GradientForm): number {
	return table ? table.count * table.width : 0;
}

/**
 * Returns the numbers of a gradient in a form.
 * @param rows number of rows of the embedding tables; default: 0
 */
export function gradientLength({ denseSize, factorSize, table }: GradientForm, texts: number, rows = 0): number {
	return denseSize + texts * factorSize + rows * (table?.width ?? 0);
}

/** A block's factors of some texts: views of a vector in a form. */
export interface Factors {
	readonly block: FactorBlock;
	/** [texts, heads, rows] */
	readonly left: Float32Array;
	/** [texts, heads, columns] */
	readonly right: Float32Array;
}

/** Returns views of the factors of a gradient of `texts` texts, in the order of the form's blocks. */
export function factorViews(form: GradientForm, gradient: Float32Array, texts: number): Factors[] {
	const take = takerOf(gradient.subarray(form.denseSize));
	return form.factors.map((block) => ({
		block,
		left: take(texts * block.heads * block.rows),
		right: take(texts * block.heads * block.columns),
	}));
}

/**
 * Returns the outer products that multiply factors out.
 * @param target receives the products
 * @param start index of the number of the trained vector that is the first one of `target`
 */
export function outerProductsOf(
	{ block, left, right }: Factors,
	texts: number,
	target: Float32Array,
	start: number,
): OuterProducts[] {
	const { heads, rows, columns, stride } = block;
	return Array.from({ length: heads }, (_, head) => ({
		...{ target, offset: block.offset - start + head * columns, stride, rows, columns, rank: texts },
		...{ left, leftOffset: head * rows, leftStride: heads * rows },
		...{ right, rightOffset: head * columns, rightStride: heads * columns },
	}));
}

/** Returns views of the dense ranges of a gradient, by name. */
export function denseViews(form: GradientForm, gradient: Float32Array): Map<string, Float32Array> {
	const take = takerOf(gradient);
	return new Map(form.dense.map(({ name, size }) => [name, take(size)]));
}

/** Returns a function that returns views of consecutive ranges. */
function takerOf(vector: Float32Array): (length: number) => Float32Array {
	let from = 0;
	return (length) => {
		from += length;
		return vector.subarray(from - length, from);
	};
}

/** Numbers per text. */
function sizeOf(blocks: readonly FactorBlock[]): number {
	return blocks.reduce((sum, { heads, rows, columns }) => sum + heads * (rows + columns), 0);
}

/** The blocks of a weight that is multiplied with one row per text; none for other parameters. */
function factorBlocks(entry: ParameterEntry, spec: TailSpec, config: Gpt2Config): FactorBlock[] {
	const { name, shape, offset } = entry;
	const [rows = 0, columns = 0] = shape;
	if (hasLora(spec) || !isOneRowWeight(name, spec, config)) return [];
	if (!name.endsWith(".c_attn.weight")) return [{ name, index: 0, heads: 1, rows, columns, offset, stride: columns }];
	const width = config.n_embd;
	// In one-row attention the key's and the value's products are taken with one row per head.
	return [1, config.n_head, config.n_head].map((heads, index) => ({
		...{ name, index, heads, rows, columns: width / heads, offset: offset + index * width, stride: columns },
	}));
}

/** The head's weight, and the weights of the last block if it is trained. */
function isOneRowWeight(name: string, spec: TailSpec, { n_layer }: Gpt2Config): boolean {
	if (name === "score.weight") return true;
	const isLastTrained = countFrozenBlocks(spec, n_layer) < n_layer;
	return isLastTrained && name.startsWith(`h.${n_layer - 1}.`) && /\.(c_attn|c_proj|c_fc)\.weight$/.test(name);
}
