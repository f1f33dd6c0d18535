import type { TailSpec } from "../../../shared/messages.ts";
import type { TailInput } from "../engine.ts";
import { lossRows } from "../loss-rows.ts";
import { causalMask, paddingMask } from "./masks.ts";
import { ownRows, packedRows } from "./packed-rows.ts";
import { floats, wholeNumbers } from "./session.ts";
import { countWholeBlocks } from "./whole-blocks.ts";

/** Settings of `tailTensors`: of the run, the model and the graph. */
export interface TailTensorOptions extends TailSpec {
	readonly width: number;
	readonly heads: number;
	/** Blocks after the cut. */
	readonly blocks: number;
	readonly oneRow: boolean;
}

/** First row and end of a range of rows. */
type Range = readonly [from: number, to: number];

/** The rows of a batch: read from the features, and put together in `hidden`. */
interface RowLayout {
	/** Rows of each text that the tail reads, in its features. */
	readonly ranges: readonly Range[];
	/** The same rows in `hidden`. */
	readonly rowsOf: readonly Range[];
	/** Of all texts together, padding included. */
	readonly rows: number;
	/** Rows of each text, and of the rectangle. */
	readonly lengths: readonly number[];
	readonly longest: number;
	/** Whether the rows have no padding. */
	readonly hasWholeBlocks: boolean;
}

function rowLayout(inputs: readonly TailInput[], options: TailTensorOptions): RowLayout {
	const ranges = inputs.map((input) => rowsRead(input, options));
	const lengths = ranges.map(([from, to]) => to - from);
	const longest = Math.max(fewestRows(options), ...lengths);
	const hasWholeBlocks = countWholeBlocks(options.blocks, options) > 0;
	const rowsOf: Range[] = [];
	let rows = 0;
	for (const length of lengths) {
		rowsOf.push([rows, rows + length]);
		rows += hasWholeBlocks ? length : longest;
	}
	return { ranges, rowsOf, rows, lengths, longest, hasWholeBlocks };
}

/**
 * Returns the rows of a text that the tail reads. Rows that causal attention hides from the pooled rows are left out.
 */
function rowsRead({ hidden, poolFrom, poolCount }: TailInput, { causal, blocks, width }: TailTensorOptions): Range {
	const end = poolFrom + poolCount;
	if (blocks === 0) return [poolFrom, end];
	return [0, causal ? end : hidden.length / width];
}

/**
 * Returns the fewest rows that the rectangle may have. The scores of one query row have one column per head. If they
 * have more columns than rows, ONNX Runtime splits the columns among threads, at least 16 to each, and the bits would
 * depend on the number of threads. With this many rows it splits the rows instead.
 */
function fewestRows({ heads, oneRow }: TailTensorOptions): number {
	return oneRow && heads > 16 ? 2 * heads : 1;
}

/**
 * Builds the inputs of `tailGraph` for a batch of texts, except the parameters; a graph may need fewer of them.
 * @param getBuffer returns an array of at least `length` numbers, of any values; the hidden states are put together in
 * it
 * @returns the tensors by name, and each text's rows in `hidden`
 */
export function tailTensors(
	inputs: readonly TailInput[],
	options: TailTensorOptions,
	getBuffer: (length: number) => Float32Array,
) {
	const texts = inputs.length;
	const layout = rowLayout(inputs, options);
	const { rowsOf, rows, lengths, longest } = layout;
	const hidden = hiddenStates(inputs, layout, options.width, getBuffer);
	const { target, share } = lossRows(inputs, options);
	const tensors = {
		hidden: floats(hidden, [rows, options.width]),
		longest: wholeNumbers([longest], [1]),
		...poolTensors(inputs, layout),
		target: floats(target, [texts, options.classes]),
		share: floats(share, [texts, options.classes]),
		"row mask": paddingMask(lengths, longest, [1]),
		...(layout.hasWholeBlocks && rectangleTensors(lengths, longest, options)),
	};
	return { tensors, rowsOf };
}

/** Puts the texts' rows together [rows, width]; padding is 0. */
function hiddenStates(
	inputs: readonly TailInput[],
	{ ranges, rowsOf, rows, longest, hasWholeBlocks }: RowLayout,
	width: number,
	getBuffer: (length: number) => Float32Array,
): Float32Array {
	const hidden = getBuffer(rows * width).subarray(0, rows * width);
	for (const [text, input] of inputs.entries()) {
		const [from, to] = ranges[text] as Range;
		const [first, end] = rowsOf[text] as Range;
		hidden.set(input.hidden.subarray(from * width, to * width), first * width);
		if (!hasWholeBlocks) hidden.fill(0, end * width, (text + 1) * longest * width);
	}
	return hidden;
}

/** Builds the tensors that tell the graph which rows the head reads. */
function poolTensors(inputs: readonly TailInput[], { ranges, rowsOf, rows, longest }: RowLayout) {
	const texts = inputs.length;
	const pool = new Float32Array(texts * longest);
	const read = new Uint32Array(texts);
	const readers = new Uint32Array(rows).fill(texts);
	for (const [text, { poolFrom, poolCount }] of inputs.entries()) {
		const [from] = ranges[text] as Range;
		const [first] = rowsOf[text] as Range;
		const pooled = poolFrom - from;
		pool.fill(1 / poolCount, text * longest + pooled, text * longest + pooled + poolCount);
		read[text] = first + pooled;
		readers[first + pooled] = text;
	}
	return {
		read: wholeNumbers(read, [texts]),
		readers: wholeNumbers(readers, [rows]),
		pool: floats(pool, [texts, 1, longest]),
	};
}

/** Builds the tensors that convert between rows without padding and the rectangle. */
function rectangleTensors(lengths: readonly number[], longest: number, { causal, heads }: TailTensorOptions) {
	const texts = lengths.length;
	const real = new Float32Array(texts * longest);
	const all = ownRows(lengths);
	const places = new Uint32Array(all.rows);
	for (const [text, own] of all.rowsOf.entries()) {
		real.fill(1, text * longest, text * longest + own.length);
		for (const [at, row] of own.entries()) places[row] = text * longest + at;
	}
	return {
		...packedRows(all, { longest, heads }),
		places: wholeNumbers(places, [all.rows]),
		real: floats(real, [texts, 1, longest, 1]),
		mask: causal ? causalMask(longest) : paddingMask(lengths, longest),
	};
}
