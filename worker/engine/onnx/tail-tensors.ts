import type { Trainable } from "../../../shared/messages.ts";
import type { TailInput } from "../engine.ts";
import { causalMask, paddingMask } from "./masks.ts";
import { ownRows, packedRows } from "./packed-rows.ts";
import { floats, wholeNumbers } from "./session.ts";
import { countWholeBlocks } from "./whole-blocks.ts";

/** How a tail's texts become tensors. */
export interface TailTensorOptions {
	readonly trainable: Trainable;
	readonly classes: number;
	readonly causal: boolean;
	readonly width: number;
	readonly heads: number;
	/** Blocks after the cut. */
	readonly blocks: number;
	readonly oneRow: boolean;
}

/** A text's rows that the tail reads, as [from, to): what causal attention hides from the pooled rows is left out. */
function rowsRead({ hidden, poolFrom, poolCount }: TailInput, { causal, blocks, width }: TailTensorOptions) {
	const end = poolFrom + poolCount;
	if (blocks === 0) return [poolFrom, end] as const;
	return [0, causal ? end : hidden.length / width] as const;
}

/**
 * The scores of one row have a column a head. ONNX Runtime shares columns among threads where they are more than the rows,
 * at least 16 to each, and then the bits would depend on the threads; with that many rows it shares rows.
 */
function fewestRows({ heads, oneRow }: TailTensorOptions): number {
	return oneRow && heads > 16 ? 2 * heads : 1;
}

/**
 * What `tailGraph` takes beside the parameters, for a batch of texts; a graph may need fewer of the tensors. And the rows
 * of each text that the tail reads, as [from, to) in `hidden`.
 * @param room where the hidden states are put together; gives an array of at least so many numbers, holding anything
 */
export function tailTensors(
	inputs: readonly TailInput[],
	options: TailTensorOptions,
	room: (length: number) => Float32Array,
) {
	const { classes, width, blocks } = options;
	const texts = inputs.length;
	const ranges = inputs.map((input) => rowsRead(input, options));
	const lengths = ranges.map(([from, to]) => to - from);
	const longest = Math.max(fewestRows(options), ...lengths);
	const hasWholeBlocks = countWholeBlocks(blocks, options) > 0;
	// Rows of whole blocks come without padding; else they are those of the rectangle.
	const steps = hasWholeBlocks ? lengths : lengths.map(() => longest);
	const rowsOf: (readonly [from: number, to: number])[] = [];
	let rows = 0;
	for (const [text, step] of steps.entries()) {
		rowsOf.push([rows, rows + (lengths[text] ?? 0)]);
		rows += step;
	}
	const hidden = room(rows * width).subarray(0, rows * width);
	const pool = new Float32Array(texts * longest);
	const read = new Uint32Array(texts);
	const readers = new Uint32Array(rows).fill(texts);
	const target = new Float32Array(texts * classes);
	for (const [text, { poolFrom, poolCount, label, ...input }] of inputs.entries()) {
		const [from, to] = ranges[text] as readonly [number, number];
		const [first, end] = rowsOf[text] as readonly [number, number];
		hidden.set(input.hidden.subarray(from * width, to * width), first * width);
		if (!hasWholeBlocks) hidden.fill(0, end * width, (text + 1) * longest * width);
		const pooled = poolFrom - from;
		pool.fill(1 / poolCount, text * longest + pooled, text * longest + pooled + poolCount);
		read[text] = first + pooled;
		readers[first + pooled] = text;
		target[text * classes + label] = 1;
	}
	const tensors = {
		hidden: floats(hidden, [rows, width]),
		longest: wholeNumbers([longest], [1]),
		read: wholeNumbers(read, [texts]),
		readers: wholeNumbers(readers, [rows]),
		pool: floats(pool, [texts, 1, longest]),
		target: floats(target, [texts, classes]),
		share: floats(Float32Array.of(1 / texts), [1]),
		"row mask": paddingMask(lengths, longest, [1]),
		...(hasWholeBlocks && rectangleTensors(lengths, longest, options)),
	};
	return { tensors, rowsOf };
}

/** What takes rows without padding into the rectangle and back. */
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
