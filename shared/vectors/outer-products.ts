import { kernelMemoryOf, NUMBER_BYTES, scratch } from "./kernel-memory.ts";
import type { DividedCall } from "./kernels.ts";
import {
	assertBlockFits,
	COLUMNS,
	countPackedNumbers,
	type OuterProducts,
	type PackedBlock,
	packFactors,
	ROWS,
	roundUp,
	splitToFit,
} from "./pack-factors.ts";

/** Bytes of packed columns that stay in the caches of a processor's core together with the other numbers. */
const PASS_BYTES = 1 << 15;
/** Multiplications in one chunk of a thread. */
const CHUNK = 1 << 18;
/** Writing a number takes as long as this many multiplications. */
const WRITE = 6;
/** Multiplications that are finished before another thread has woken up. */
const LEAST_SHARED = 1 << 24;

/**
 * Writes a sum of outer products to each block, which must not overlap. A sum starts with the first product and adds
 * the others in order of r; each multiplication and each addition is rounded to float32 separately, so that every
 * machine, every number of threads and every kind of memory gives the same bits. Fastest if all blocks are written by
 * one call, and if targets and factors come from one call of `allocateVectors`.
 * @param threads that compute if the blocks lie in a kernel memory and are large; default: 1
 * @throws RangeError if a block or a factor exceeds its array, if a size is 0, or if there are far too many products
 */
export function writeOuterProducts(blocks: readonly OuterProducts[], threads = 1): void {
	for (const block of blocks) assertBlockFits(block);
	let packed: PackedBlock[] = [];
	let used = 0;
	for (const block of blocks.flatMap(splitToFit)) {
		const memory = kernelMemoryOf(block.target) ?? scratch;
		const length = countPackedNumbers(block);
		if (packed[0] && (packed[0].memory !== memory || used + length > memory.factors.length)) {
			writePacked(packed, threads);
			packed = [];
			used = 0;
		}
		packed.push(packFactors(block, memory, used));
		used += length;
	}
	writePacked(packed, threads);
}

/** Writes blocks whose factors lie in the workspace of the same kernel memory. */
function writePacked(packed: readonly PackedBlock[], threads: number): void {
	const [first] = packed;
	if (!first) return;
	const { memory } = first;
	const resident = memory === scratch ? [] : packed.filter(({ rows, columns }) => rows >= ROWS && columns >= COLUMNS);
	const calls = resident.map(callInPlace);
	const work = resident.reduce((sum, { rows, columns, rank }) => sum + rows * columns * (rank + WRITE), 0);
	if (threads > 1 && work >= LEAST_SHARED) memory.threads.run(calls, threads);
	else for (const call of calls) memory.kernels(call);
	for (const block of packed) writeRest(block, resident.includes(block));
}

/** The call that writes all whole groups of rows and columns directly to the target. */
function callInPlace(block: PackedBlock): DividedCall {
	const { target, offset, stride, rank } = block;
	const [rows, columns] = [block.rows - (block.rows % ROWS), block.columns - (block.columns % COLUMNS)];
	const address = target.byteOffset + offset * NUMBER_BYTES;
	return {
		...callOf(block, { address, stride, row: 0, column: 0, rows, columns }),
		chunk: roundUp(CHUNK / (columns * (rank + WRITE)), ROWS),
		steps: [stride * NUMBER_BYTES, rank * NUMBER_BYTES, 0],
	};
}

/** Writes the numbers that `callInPlace` doesn't write: computes 4 rows at a time in the workspace and copies them. */
function writeRest(block: PackedBlock, isResident: boolean): void {
	const { target, offset, stride, rows, columns, buffer } = block;
	for (let row = 0; row < rows; row += ROWS) {
		const column = isResident && row + ROWS <= rows ? columns - (columns % COLUMNS) : 0;
		if (column === columns) continue;
		const width = roundUp(columns - column, COLUMNS);
		const place = { address: buffer.byteOffset, stride: width, row, column, rows: ROWS, columns: width };
		block.memory.kernels(callOf(block, place));
		for (let i = 0; i < Math.min(ROWS, rows - row); i++) {
			const numbers = buffer.subarray(i * width, i * width + columns - column);
			target.set(numbers, offset + (row + i) * stride + column);
		}
	}
}

/** A part of the block, in whole groups of rows and columns, and the address to which it is written. */
interface Place {
	readonly address: number;
	/** Numbers from one row to the next at the address. */
	readonly stride: number;
	readonly row: number;
	readonly column: number;
	readonly rows: number;
	readonly columns: number;
}

function callOf(
	{ packedLeft, packedRight, rank }: PackedBlock,
	{ address, stride, row, column, rows, columns }: Place,
) {
	const bytes = rank * NUMBER_BYTES;
	const pass = Math.max(1, Math.floor(PASS_BYTES / (COLUMNS * bytes))) * COLUMNS;
	return {
		kernel: "sumOuterProducts",
		size: rows,
		at: [address, packedLeft.byteOffset + row * bytes, packedRight.byteOffset + column * bytes],
		scalars: [stride * NUMBER_BYTES, columns * NUMBER_BYTES, rank, pass * NUMBER_BYTES],
	} as const;
}
