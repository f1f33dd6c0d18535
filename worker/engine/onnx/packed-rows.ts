import type { SharedRows } from "../../../shared/sequences/shared-rows.ts";
import type { GraphBuilder, Value } from "./graph-builder.ts";
import { wholeNumbers } from "./session.ts";

/**
 * Indices that attention gathers its rows with. Rows [rows, width] are the tokens of all texts without padding. Only
 * attention needs rectangles: it gathers each head's part of a row directly into [texts, heads, longest, head width],
 * which costs no more than the copy of a transpose.
 */
export interface AttentionIndices {
	/**
	 * Index of each head's part [texts, heads, longest] in the joint rows of query, key and value: one for each of the
	 * three.
	 */
	readonly qkv: readonly [Value, Value, Value];
	/** The same for rows of one such part: [rows, width]. */
	readonly merged: Value;
	/** Index of each row's heads [rows, heads] in attention's result. */
	readonly unpacked: Value;
	/** Added to scores [texts, heads, longest, longest]. */
	readonly mask: Value;
}

/**
 * Declares `mask` and the inputs made by `packedRows`, and computes the indices from them, once for all blocks.
 * @param slots the graph's input of that name
 */
export function attentionIndices(graph: GraphBuilder, heads: number, slots: Value): AttentionIndices {
	const cells = graph.input("cells", "int64", ["rows", 1]);
	const longest = graph.input("longest", "int64", [1]);
	const mask = graph.input("mask", "float32", ["mask texts", 1, "mask rows", "longest"]);
	const range = Array.from({ length: heads }, (_, head) => head);
	const part = (parts: number, from: number) => {
		const offsets = graph.ints(range.map((head) => from * heads + head));
		const first = graph.op("Mul", [slots, graph.ints(parts * heads)]);
		return graph.op("Add", [first, graph.op("Reshape", [offsets, graph.ints([heads, 1])])]);
	};
	const unpacked = graph.op("Add", [cells, graph.op("Mul", [graph.ints(range), longest])]);
	return { qkv: [part(3, 0), part(3, 1), part(3, 2)], merged: part(1, 0), unpacked, mask };
}

/** Declares the row of each cell of the rectangle; for padding it may be any row. */
export function declareSlots(graph: GraphBuilder): Value {
	return graph.input("slots", "int64", ["texts", 1, "longest"]);
}

/** Builds the tensors of `attentionIndices` for rows that several texts may share. */
export function packedRows(
	{ rows, rowsOf }: SharedRows,
	{ longest, heads }: { readonly longest: number; readonly heads: number },
) {
	const cells = new Uint32Array(rows);
	const slots = new Uint32Array(rowsOf.length * longest);
	for (const [text, own] of rowsOf.entries()) {
		slots.set(own, text * longest);
		// A row that several texts share has several cells. All hold the same numbers, so any of them will do.
		for (const [at, row] of own.entries()) cells[row] = text * heads * longest + at;
	}
	return {
		slots: wholeNumbers(slots, [rowsOf.length, 1, longest]),
		cells: wholeNumbers(cells, [rows, 1]),
		longest: wholeNumbers([longest], [1]),
	};
}

/** Numbers the tokens of texts of these lengths: one row per token, one text after the other, nothing shared. */
export function ownRows(lengths: readonly number[]): SharedRows {
	let rows = 0;
	const rowsOf = lengths.map((length) => {
		const own = new Uint32Array(length);
		for (let at = 0; at < length; at++) own[at] = rows++;
		return own;
	});
	return { rows, rowsOf };
}
