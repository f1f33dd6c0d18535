import type { SharedRows } from "../../../shared/sequences/shared-rows.ts";
import type { GraphBuilder, Value } from "./graph-builder.ts";
import { wholeNumbers } from "./session.ts";

/**
 * Where attention finds the rows that it needs. Rows [rows, width] are the tokens of all texts without padding; attention
 * alone needs rectangles, and takes each head's part of a row straight from the rows into [texts, heads, longest, head
 * width]: the copy that a transpose would make.
 */
export interface AttentionPlaces {
	/** Index of each head's part [texts, heads, longest] in the rows of query, key and value. */
	readonly parts: readonly [Value, Value, Value];
	/** The same in rows of as many parts as heads. */
	readonly merged: Value;
	/** Index of each row's heads [rows, heads] in attention's result. */
	readonly back: Value;
	/** Added to scores [texts, heads, longest, longest]. */
	readonly mask: Value;
}

/**
 * Declares what `packedRows` gives, and `mask`, and computes the places from it, once for all blocks.
 * @param slots the graph's input of that name
 */
export function attentionPlaces(graph: GraphBuilder, heads: number, slots: Value): AttentionPlaces {
	const cells = graph.input("cells", "int64", ["rows", 1]);
	const longest = graph.input("longest", "int64", [1]);
	const mask = graph.input("mask", "float32", ["mask texts", 1, "mask rows", "longest"]);
	const range = Array.from({ length: heads }, (_, head) => head);
	const part = (parts: number, from: number) => {
		const offsets = graph.ints(range.map((head) => from * heads + head));
		const first = graph.op("Mul", [slots, graph.ints(parts * heads)]);
		return graph.op("Add", [first, graph.op("Reshape", [offsets, graph.ints([heads, 1])])]);
	};
	const back = graph.op("Add", [cells, graph.op("Mul", [graph.ints(range), longest])]);
	return { parts: [part(3, 0), part(3, 1), part(3, 2)], merged: part(1, 0), back, mask };
}

/** Declares the row of each place of the rectangle: any row for padding. */
export function declareSlots(graph: GraphBuilder): Value {
	return graph.input("slots", "int64", ["texts", 1, "longest"]);
}

/** Tensors for the places of rows, of which several texts may have the same one. */
export function packedRows(
	{ rows, rowsOf }: SharedRows,
	{ longest, heads }: { readonly longest: number; readonly heads: number },
) {
	const cells = new Uint32Array(rows);
	const slots = new Uint32Array(rowsOf.length * longest);
	for (const [text, own] of rowsOf.entries()) {
		slots.set(own, text * longest);
		// Of a row of several texts, any of its cells does: all hold the same.
		for (const [at, row] of own.entries()) cells[row] = text * heads * longest + at;
	}
	return {
		slots: wholeNumbers(slots, [rowsOf.length, 1, longest]),
		cells: wholeNumbers(cells, [rows, 1]),
		longest: wholeNumbers([longest], [1]),
	};
}

/** A row for each token of texts of those lengths, one text after the other. */
export function ownRows(lengths: readonly number[]): SharedRows {
	let rows = 0;
	const rowsOf = lengths.map((length) => {
		const own = new Uint32Array(length);
		for (let at = 0; at < length; at++) own[at] = rows++;
		return own;
	});
	return { rows, rowsOf };
}
