/**
 * A tensor of the engine, and the position of its numbers in a stored tensor: `rows` runs of `length`, `stride` apart.
 */
export interface Slot {
	readonly name: string;
	readonly shape: readonly number[];
	readonly offset: number;
	readonly rows: number;
	readonly length: number;
	readonly stride: number;
}

interface StoredEntry {
	readonly name: string;
	readonly shape: readonly number[];
	/** Index of the first number in the vector that holds the tensor. */
	readonly offset: number;
}

/**
 * Splits a stored tensor into the engine's tensors. `c_attn` holds query, key and value side by side. It becomes three
 * tensors (`h.0.attn.c_attn.q.weight`), with names like those of their LoRA pairs, so that one can be used without the
 * others.
 */
export function slotsOf({ name, shape, offset }: StoredEntry): Slot[] {
	const columns = shape.at(-1) ?? 1;
	const rows = shape.reduce((product, size) => product * size, 1) / columns;
	const names = slotNames(name);
	if (names.length === 1) return [{ name, shape, offset, rows: 1, length: rows * columns, stride: rows * columns }];
	const length = columns / 3;
	return names.map((own, i) => ({
		name: own,
		shape: [...shape.slice(0, -1), length],
		offset: offset + i * length,
		rows,
		length,
		stride: columns,
	}));
}

/** Returns the names of the engine's tensors that a stored tensor becomes. */
export function slotNames(name: string): string[] {
	const fused = /^(.*\.c_attn)\.(weight|bias)$/.exec(name);
	return fused ? ["q", "k", "v"].map((part) => `${fused[1]}.${part}.${fused[2]}`) : [name];
}

/** Returns a slot's numbers: a view of the vector if they are contiguous in it, otherwise a copy. */
export function readSlot({ offset, rows, length, stride }: Slot, vector: Float32Array): Float32Array {
	if (rows === 1) return vector.subarray(offset, offset + length);
	const values = new Float32Array(rows * length);
	for (let row = 0; row < rows; row++) {
		const from = offset + row * stride;
		values.set(vector.subarray(from, from + length), row * length);
	}
	return values;
}

/** Writes a slot's numbers to their position in the vector. */
export function writeSlot({ offset, rows, length, stride }: Slot, values: Float32Array, vector: Float32Array): void {
	for (let row = 0; row < rows; row++) {
		vector.set(values.subarray(row * length, (row + 1) * length), offset + row * stride);
	}
}
