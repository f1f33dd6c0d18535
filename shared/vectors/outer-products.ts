import { type KernelMemory, kernelMemoryOf, NUMBER_BYTES, scratch } from "./kernel-memory.ts";
import type { KernelCall } from "./kernels.ts";

/** A sum of outer products: block[i, j] = sum over r of left[r, i] * right[r, j]. */
export interface OuterProducts {
	/** Receives the block: element (i, j) is at target[offset + i * stride + j]. */
	readonly target: Float32Array;
	readonly offset: number;
	readonly stride: number;
	readonly rows: number;
	readonly columns: number;
	/** Number of outer products to sum, at least 1. */
	readonly rank: number;
	/** Element (r, i) is at left[leftOffset + r * leftStride + i]. */
	readonly left: Float32Array;
	readonly leftOffset: number;
	readonly leftStride: number;
	/** Element (r, j) is at right[rightOffset + r * rightStride + j]. */
	readonly right: Float32Array;
	readonly rightOffset: number;
	readonly rightStride: number;
}

/** Rows and columns that the kernel computes at a time. */
const ROWS = 4;
const COLUMNS = 8;
/** Bytes of packed columns that stay in the processor's first-level cache together with the other numbers. */
const PASS_BYTES = 1 << 14;
/** Multiplications in one chunk of a thread. */
const CHUNK = 1 << 18;
/** Smaller blocks are finished before another thread has woken up. */
const LEAST_SHARED = 1 << 21;

/** The factors of a block, packed as the kernel reads them, and room for 4 rows of the block. */
interface Packed {
	readonly memory: KernelMemory;
	readonly left: Float32Array;
	readonly right: Float32Array;
	readonly rows: Float32Array;
}

/**
 * Writes a sum of outer products to a block of the target. The sum starts with the first product and adds the others in
 * order of r; each multiplication and each addition is rounded to float32 separately, so that every machine, every
 * number of threads and every kind of memory gives the same bits. Fastest if the target comes from `allocateVectors`.
 * @param threads that compute if the target lies in a kernel memory and the block is large
 * @throws RangeError if the block or a factor exceeds its array, or if there are no products or far too many
 */
export function writeOuterProducts(products: OuterProducts, threads = 1): void {
	assertFits(products);
	const packed = packFactors(products);
	if (!packed) {
		for (const half of halvesOf(products)) writeOuterProducts(half, threads);
		return;
	}
	const { rows, columns } = products;
	const isResident = packed.memory !== scratch;
	const columnsInPlace = isResident ? columns - (columns % COLUMNS) : 0;
	const rowsInPlace = columnsInPlace > 0 ? rows - (rows % ROWS) : 0;
	if (rowsInPlace > 0) writeInPlace(products, packed, { rows: rowsInPlace, columns: columnsInPlace, threads });
	for (let row = 0; row < rows; row += ROWS) {
		const column = row < rowsInPlace ? columnsInPlace : 0;
		if (column < columns) writeRows(products, packed, { row, column });
	}
}

function assertFits({ target, left, right, rank, rows, columns, ...at }: OuterProducts): void {
	const fits =
		at.offset + (rows - 1) * at.stride + columns <= target.length &&
		at.leftOffset + (rank - 1) * at.leftStride + rows <= left.length &&
		at.rightOffset + (rank - 1) * at.rightStride + columns <= right.length;
	if (!fits || rank < 1)
		throw new RangeError(`${rank} outer products of ${rows} rows and ${columns} columns don't fit`);
}

/** Packs the factors into the target's kernel memory. @returns undefined if they are too many for its workspace */
function packFactors({ target, rows, columns, rank, ...products }: OuterProducts): Packed | undefined {
	const memory = kernelMemoryOf(target) ?? scratch;
	const width = roundUp(columns, COLUMNS);
	const leftEnd = rank * roundUp(rows, ROWS);
	const rightEnd = leftEnd + rank * width;
	if (rightEnd + ROWS * width > memory.factors.length) return undefined;
	const left = memory.factors.subarray(0, leftEnd);
	const right = memory.factors.subarray(leftEnd, rightEnd);
	pack(left, ROWS, { rank, from: products.left, at: products.leftOffset, stride: products.leftStride, length: rows });
	const { rightOffset: at, rightStride: stride } = products;
	pack(right, COLUMNS, { rank, from: products.right, at, stride, length: columns });
	return { memory, left, right, rows: memory.factors.subarray(rightEnd, rightEnd + ROWS * width) };
}

interface Factor {
	readonly rank: number;
	readonly from: Float32Array;
	readonly at: number;
	readonly stride: number;
	/** Numbers for each product. */
	readonly length: number;
}

/** Packs groups of `group` numbers: for each group its numbers of all products. The last group may end in zeros. */
function pack(to: Float32Array, group: number, { rank, from, at, stride, length }: Factor): void {
	if (length % group) to.fill(0, to.length - group * rank);
	for (let start = 0, next = 0; start < length; start += group) {
		const count = Math.min(group, length - start);
		for (let r = 0; r < rank; r++, next += group) {
			const first = at + r * stride + start;
			for (let i = 0; i < count; i++) to[next + i] = from[first + i] as number;
		}
	}
}

interface InPlace {
	readonly rows: number;
	readonly columns: number;
	readonly threads: number;
}

/** Writes the first rows and columns of the block, multiples of the kernel's, in the target's kernel memory. */
function writeInPlace(
	{ target, offset, stride, rank }: OuterProducts,
	packed: Packed,
	{ rows, columns, threads }: InPlace,
): void {
	const place = { address: target.byteOffset + offset * NUMBER_BYTES, stride, row: 0, column: 0, rows, columns };
	const call = callOf(packed, rank, place);
	const { kernels, threads: helpers } = packed.memory;
	if (threads <= 1 || rows * columns * rank < LEAST_SHARED) kernels(call);
	else {
		const chunk = roundUp(CHUNK / (columns * rank), ROWS);
		helpers.run(call, { chunk, steps: [stride * NUMBER_BYTES, rank * NUMBER_BYTES, 0] }, threads);
	}
}

/** Writes up to 4 rows of the block, from a column on: computes them in the workspace and copies them. */
function writeRows(
	{ target, offset, stride, rows, columns, rank }: OuterProducts,
	packed: Packed,
	{ row, column }: { readonly row: number; readonly column: number },
): void {
	const width = roundUp(columns, COLUMNS) - column;
	const place = { address: packed.rows.byteOffset, stride: width, row, column, rows: ROWS, columns: width };
	packed.memory.kernels(callOf(packed, rank, place));
	for (let i = 0; i < Math.min(ROWS, rows - row); i++) {
		const numbers = packed.rows.subarray(i * width, i * width + columns - column);
		target.set(numbers, offset + (row + i) * stride + column);
	}
}

/** A part of the block and the address to which it is written. */
interface Place {
	readonly address: number;
	/** Numbers from one row to the next at the address. */
	readonly stride: number;
	readonly row: number;
	readonly column: number;
	readonly rows: number;
	readonly columns: number;
}

function callOf({ left, right }: Packed, rank: number, { address, stride, ...part }: Place): KernelCall {
	const rankBytes = rank * NUMBER_BYTES;
	const pass = Math.max(1, Math.floor(PASS_BYTES / (COLUMNS * rankBytes))) * COLUMNS;
	return {
		kernel: "sumOuterProducts",
		size: part.rows,
		at: [address, left.byteOffset + part.row * rankBytes, right.byteOffset + part.column * rankBytes],
		scalars: [stride * NUMBER_BYTES, part.columns * NUMBER_BYTES, rank, pass * NUMBER_BYTES],
	};
}

/** Two halves of a block: of its rows or, if it has more columns, of these. */
function halvesOf(products: OuterProducts): OuterProducts[] {
	const { rows, columns, rank, offset, leftOffset, rightOffset } = products;
	const half = roundUp(Math.max(rows, columns) / 2, COLUMNS);
	if (half >= Math.max(rows, columns)) throw new RangeError(`${rank} outer products are too many`);
	if (rows > columns) {
		const rest = { rows: rows - half, offset: offset + half * products.stride, leftOffset: leftOffset + half };
		return [
			{ ...products, rows: half },
			{ ...products, ...rest },
		];
	}
	const rest = { columns: columns - half, offset: offset + half, rightOffset: rightOffset + half };
	return [
		{ ...products, columns: half },
		{ ...products, ...rest },
	];
}

/** The next multiple of a unit. */
function roundUp(count: number, unit: number): number {
	return Math.ceil(count / unit) * unit;
}
