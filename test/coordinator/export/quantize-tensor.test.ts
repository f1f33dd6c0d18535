import test from "ava";
import fc from "fast-check";
import { quantizeTensor } from "../../../coordinator/export/quantize-tensor.ts";

test("quantizes with one scale per row or column; each value is off by at most half its scale", (t) => {
	const matrix = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })).chain(([rows, columns]) =>
		fc.record({
			rows: fc.constant(rows),
			columns: fc.constant(columns),
			values: fc.array(fc.integer({ min: -1000, max: 1000 }), {
				minLength: rows * columns,
				maxLength: rows * columns,
			}),
		}),
	);
	const isNear = (of: { values: number[]; rows: number; columns: number }, by: "rows" | "columns") => {
		const { numbers, scales } = quantizeTensor(Float32Array.from(of.values), of.columns, by);
		return (
			scales.length === of[by] &&
			of.values.every((value, place) => {
				const scale = scales[by === "rows" ? Math.floor(place / of.columns) : place % of.columns] as number;
				return Math.abs((numbers[place] as number) - 128 - value / scale) <= 0.5 + 1e-4;
			})
		);
	};
	fc.assert(
		fc.property(matrix, (of) => isNear(of, "rows") && isNear(of, "columns")),
		{ numRuns: 300, seed: 1 },
	);
	const { numbers, scales } = quantizeTensor(Float32Array.of(-254, 0, 3, 127, 0, -1), 3, "columns");
	t.deepEqual([...numbers], [1, 128, 255, 192, 128, 86]);
	t.deepEqual(scales, Float32Array.of(2, 1, 3 / 127));
});
