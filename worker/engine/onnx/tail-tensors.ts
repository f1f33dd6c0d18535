import type { Trainable } from "../../../shared/messages.ts";
import { hasLora } from "../../../shared/model/tail-spec.ts";
import type { TailInput } from "../engine.ts";
import { causalMask, paddingMask } from "./masks.ts";
import { ownRows, packedRows } from "./packed-rows.ts";
import { floats, wholeNumbers } from "./session.ts";

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
 * What `tailGraph` takes beside the parameters, for a batch of texts, and how many rows of each text the tail reads. A
 * graph may need fewer of the tensors.
 * @param room where the hidden states are put together; gives an array of at least so many numbers, holding anything
 */
export function tailTensors(
	inputs: readonly TailInput[],
	options: TailTensorOptions,
	room: (length: number) => Float32Array,
) {
	const { classes, causal, width, heads, blocks, oneRow } = options;
	const texts = inputs.length;
	const ranges = inputs.map((input) => rowsRead(input, options));
	const lengths = ranges.map(([from, to]) => to - from);
	const longest = Math.max(fewestRows(options), ...lengths);
	const rowsOf = ownRows(lengths);
	const rows = lengths.reduce((sum, length) => sum + length, 0);
	const hidden = room(rows * width).subarray(0, rows * width);
	const pool = new Float32Array(texts * longest);
	const real = new Float32Array(texts * longest);
	const places = new Uint32Array(rows);
	const read = new Uint32Array(texts);
	const readers = new Uint32Array(rows).fill(texts);
	const target = new Float32Array(texts * classes);
	for (const [text, { poolFrom, poolCount, label, ...input }] of inputs.entries()) {
		const [from, to] = ranges[text] ?? [0, 0];
		const first = rowsOf[text]?.[0] ?? 0;
		hidden.set(input.hidden.subarray(from * width, to * width), first * width);
		for (let at = 0; at < to - from; at++) places[first + at] = text * longest + at;
		real.fill(1, text * longest, text * longest + to - from);
		const pooled = poolFrom - from;
		pool.fill(1 / poolCount, text * longest + pooled, text * longest + pooled + poolCount);
		read[text] = first + pooled;
		readers[first + pooled] = text;
		target[text * classes + label] = 1;
	}
	const tensors = {
		hidden: floats(hidden, [rows, width]),
		...packedRows(rowsOf, { rows, longest, heads }),
		places: wholeNumbers(places, [rows]),
		read: wholeNumbers(read, [texts]),
		readers: wholeNumbers(readers, [rows]),
		pool: floats(pool, [texts, 1, longest]),
		real: floats(real, [texts, 1, longest, 1]),
		target: floats(target, [texts, classes]),
		share: floats(Float32Array.of(1 / texts), [1]),
		"row mask": paddingMask(lengths, longest, [1]),
		...(blocks > (oneRow && !hasLora(options) ? 1 : 0) && {
			mask: causal ? causalMask(longest) : paddingMask(lengths, longest),
		}),
	};
	return { tensors, lengths };
}
