import { debuglog } from "node:util";
import { koffi } from "../koffi.ts";
import { createHome, type Home, MEMORY_BYTES, NUMBER_BYTES, TILES_BYTES } from "./kernel-memory.ts";
import { settle } from "./vector-kernels.ts";

const LINE_BYTES = 64;

const log = debuglog("tailtune");

/**
 * Vectors of zeros, all in one memory that the kernels reach: they are computed on where they lie, others are copied in
 * and out tile by tile, with the same result. They are ordinary arrays if they don't fit into 4 GiB, if the system has no
 * such memory to give, or if it can't be seen as an ordinary buffer.
 * @param lengths of each vector
 */
export function allocateVectors<const Lengths extends readonly number[]>(
	...lengths: Lengths
): { [Vector in keyof Lengths]: Float32Array<ArrayBuffer> } {
	let bytes = TILES_BYTES;
	const offsets = lengths.map((length) => {
		const offset = bytes;
		bytes += Math.ceil((length * NUMBER_BYTES) / LINE_BYTES) * LINE_BYTES;
		return offset;
	});
	const buffer = bytes > MEMORY_BYTES ? undefined : allocateBuffer(bytes);
	const vectors = lengths.map((length, i) =>
		buffer ? new Float32Array(buffer, offsets[i], length) : new Float32Array(length),
	);
	return vectors as { [Vector in keyof Lengths]: Float32Array<ArrayBuffer> };
}

/** A memory that the kernels' threads share, as an ordinary buffer; undefined if there is none to be had. */
function allocateBuffer(bytes: number): ArrayBuffer | undefined {
	let home: Home;
	try {
		home = createHome(bytes);
	} catch (error) {
		if (error instanceof RangeError) return undefined; // no room
		throw error;
	}
	const buffer = aliasOf(home.buffer, koffi);
	if (buffer) settle(buffer, home);
	return buffer;
}

/** What of koffi makes an alias. */
type Native = Pick<NonNullable<typeof koffi>, "address" | "view">;

/**
 * An ordinary buffer over shared memory: ONNX Runtime, and much of Node, take no shared one, and JavaScript has no way from
 * one to the other. What is written to either must be seen in the other: a JavaScript engine that keeps its memory apart from
 * native code's might give a copy.
 * @param native undefined: there is no alias
 * @returns undefined if the two aren't the same memory
 */
export function aliasOf(shared: ArrayBufferLike, native: Native | undefined): ArrayBuffer | undefined {
	try {
		const buffer = native?.view(native.address(new Uint8Array(shared)), shared.byteLength);
		return buffer && isSameMemory(new Uint8Array(shared), new Uint8Array(buffer)) ? buffer : undefined;
	} catch (error) {
		log("shared memory can't be seen as an ordinary buffer: %s", error);
		return undefined;
	}
}

/** Writes to the first and the last byte of each, reads it through the other, and puts the zeros back. */
function isSameMemory(one: Uint8Array, other: Uint8Array): boolean {
	if (one.length !== other.length) return false;
	const isSeen = (from: Uint8Array, to: Uint8Array, at: number) => {
		from[at] = 0xa5;
		const seen = to[at] === 0xa5;
		from[at] = 0;
		return seen && to[at] === 0;
	};
	return [0, one.length - 1].every((at) => isSeen(one, other, at) && isSeen(other, one, at));
}
