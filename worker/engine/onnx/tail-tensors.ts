import type { Tensor } from "onnxruntime-node";
import type { Trainable } from "../../../shared/messages.ts";
import { hasLora } from "../../../shared/model/tail-spec.ts";
import type { TailInput } from "../engine.ts";
import { causalMask, paddingMask } from "./masks.ts";
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
 * What `tailGraph` takes beside the parameters, for a batch of texts. A graph may need fewer of them.
 * @param room where the hidden states are put together; gives an array of at least so many numbers, holding anything
 */
export function tailTensors(
	inputs: readonly TailInput[],
	options: TailTensorOptions,
	room: (length: number) => Float32Array,
): { readonly hidden: Tensor } & Record<string, Tensor> {
	const { classes, causal, width, blocks, oneRow } = options;
	const texts = inputs.length;
	const ranges = inputs.map((input) => rowsRead(input, options));
	const lengths = ranges.map(([from, to]) => to - from);
	const longest = Math.max(fewestRows(options), ...lengths);
	const hidden = room(texts * longest * width).subarray(0, texts * longest * width);
	const pool = new Float32Array(texts * longest);
	const target = new Float32Array(texts * classes);
	for (const [text, { poolFrom, poolCount, label, ...input }] of inputs.entries()) {
		const [from, to] = ranges[text] ?? [0, 0];
		hidden.set(input.hidden.subarray(from * width, to * width), text * longest * width);
		hidden.fill(0, (text * longest + to - from) * width, (text + 1) * longest * width);
		const first = text * longest + poolFrom - from;
		pool.fill(1 / poolCount, first, first + poolCount);
		target[text * classes + label] = 1;
	}
	return {
		hidden: floats(hidden, [texts, longest, width]),
		pool: floats(pool, [texts, 1, longest]),
		target: floats(target, [texts, classes]),
		share: floats(Float32Array.of(1 / texts), [1]),
		corners: wholeNumbers([texts, longest], [2]),
		"row mask": paddingMask(lengths, longest, [1]),
		...(blocks > (oneRow && !hasLora(options) ? 1 : 0) && {
			mask: causal ? causalMask(longest) : paddingMask(lengths, longest),
		}),
	};
}
