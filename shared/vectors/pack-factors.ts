import { type KernelMemory, kernelMemoryOf, NUMBER_BYTES, scratch } from "./kernel-memory.ts";

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
export const ROWS = 4;
export const COLUMNS = 8;

/** A block with its factors packed as the kernel reads them, in the workspace of the target's kernel memory. */
export interface PackedBlock extends OuterProducts {
	readonly memory: KernelMemory;
	/**
	 * For each group of rows (of columns) and each product the group's numbers. The last group may end in numbers without
	 * meaning.
	 */
	readonly packedLeft: Float32Array;
	readonly packedRight: Float32Array;
	/** Room for one group of rows of the block, or for one factor. */
	readonly buffer: Float32Array;
}

/** @throws RangeError if the block or a factor exceeds its array, or if one of the sizes is 0 */
export function assertBlockFits({ target, left, right, rank, rows, columns, ...at }: OuterProducts): void {
	const fits =
		at.offset + (rows - 1) * at.stride + columns <= target.length &&
		at.leftOffset + (rank - 1) * at.leftStride + rows <= left.length &&
		at.rightOffset + (rank - 1) * at.rightStride + columns <= right.length;
	if (!fits || Math.min(rank, rows, columns) < 1)
		throw new RangeError(`${rank} outer products of ${rows} rows and ${columns} columns don't fit`);
}

/**
 * Parts of a block whose factors fit into a kernel memory's workspace.
 * @throws RangeError if there are too many products for the smallest part
 */
export function splitToFit(block: OuterProducts): OuterProducts[] {
	const { rows, columns, rank, stride, offset, leftOffset, rightOffset } = block;
	if (countPackedNumbers(block) <= scratch.factors.length) return [block];
	const half = roundUp(Math.max(rows, columns) / 2, COLUMNS);
	if (half >= Math.max(rows, columns)) throw new RangeError(`${rank} outer products are too many`);
	const [first, second] =
		rows > columns
			? [{ rows: half }, { rows: rows - half, offset: offset + half * stride, leftOffset: leftOffset + half }]
			: [{ columns: half }, { columns: columns - half, offset: offset + half, rightOffset: rightOffset + half }];
	return [...splitToFit({ ...block, ...first }), ...splitToFit({ ...block, ...second })];
}

/** Numbers of the workspace that a block needs. */
export function countPackedNumbers({ rows, columns, rank }: OuterProducts): number {
	const [height, width] = [roundUp(rows, ROWS), roundUp(columns, COLUMNS)];
	return rank * (height + width) + Math.max(rank * height, rank * width, ROWS * width);
}

/** @param start first number of the workspace that the block uses */
export function packFactors(block: OuterProducts, memory: KernelMemory, start: number): PackedBlock {
	const { rows, columns, rank, left, leftOffset, leftStride, right, rightOffset, rightStride } = block;
	const [leftLength, width] = [rank * roundUp(rows, ROWS), roundUp(columns, COLUMNS)];
	const packedLeft = memory.factors.subarray(start, start + leftLength);
	const packedRight = memory.factors.subarray(start + leftLength, start + leftLength + rank * width);
	// Not needed any more when rows are written to it.
	const buffer = memory.factors.subarray(start + leftLength + rank * width, start + countPackedNumbers(block));
	const ofLeft = { from: left, offset: leftOffset, stride: leftStride, length: rows, rank, group: ROWS };
	const ofRight = { from: right, offset: rightOffset, stride: rightStride, length: columns, rank, group: COLUMNS };
	pack(memory, ofLeft, packedLeft, buffer);
	pack(memory, ofRight, packedRight, buffer);
	return { ...block, memory, packedLeft, packedRight, buffer };
}

/** Element (r, i) of a factor is at from[offset + r * stride + i]. */
interface Factor {
	readonly from: Float32Array;
	readonly offset: number;
	readonly stride: number;
	readonly length: number;
	readonly rank: number;
	/** Elements in one group. */
	readonly group: number;
}

/** @param buffer receives a copy of the factor if the kernel can't read it in its place */
function pack(memory: KernelMemory, factor: Factor, to: Float32Array, buffer: Float32Array): void {
	const { from, offset, length, rank, group } = factor;
	const isReadable = kernelMemoryOf(from) === memory && length % group === 0;
	const stride = isReadable ? factor.stride : roundUp(length, group);
	if (!isReadable) copyFactor(factor, buffer, stride);
	memory.kernels({
		kernel: "packFactor",
		size: rank,
		at: [to.byteOffset, isReadable ? from.byteOffset + offset * NUMBER_BYTES : buffer.byteOffset],
		scalars: [stride * NUMBER_BYTES, roundUp(length, group) * NUMBER_BYTES, group * NUMBER_BYTES],
	});
}

/** Copies a factor. The numbers that follow the elements of each product have no meaning and aren't used. */
function copyFactor({ from, offset, stride, length, rank }: Factor, to: Float32Array, toStride: number): void {
	for (let r = 0; r < rank; r++) {
		const first = offset + r * stride;
		to.set(from.subarray(first, first + length), r * toStride);
	}
}

/** The next multiple of a unit. */
export function roundUp(count: number, unit: number): number {
	return Math.ceil(count / unit) * unit;
}
