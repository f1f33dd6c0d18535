import { debuglog } from "node:util";
import { koffi } from "../koffi.ts";
import {
	createKernelMemory,
	type KernelMemory,
	MEMORY_BYTES,
	NUMBER_BYTES,
	registerAlias,
	WORKSPACE_BYTES,
} from "./kernel-memory.ts";

const LINE_BYTES = 64;

const log = debuglog("tailtune");

/**
 * Allocates vectors of zeros in one kernel memory, so that kernels work on them in place. Ordinary arrays give the same
 * results, but are copied in and out tile by tile. The vectors are ordinary arrays if they don't fit into 4 GiB, if the
 * system can't provide such a memory, or if it can't be accessed as an ordinary buffer.
 * @param lengths of each vector
 */
export function allocateVectors<const Lengths extends readonly number[]>(
	...lengths: Lengths
): { [Vector in keyof Lengths]: Float32Array<ArrayBuffer> } {
	let bytes = WORKSPACE_BYTES;
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

/** A new kernel memory as an ordinary buffer; undefined if the system can't provide it. */
function allocateBuffer(bytes: number): ArrayBuffer | undefined {
	let memory: KernelMemory;
	try {
		memory = createKernelMemory(bytes);
	} catch (error) {
		if (error instanceof RangeError) return undefined; // no room
		throw error;
	}
	const buffer = aliasOf(memory.buffer, koffi);
	if (buffer) registerAlias(buffer, memory);
	return buffer;
}

/** The functions of koffi that make an alias. */
type Native = Pick<NonNullable<typeof koffi>, "address" | "view">;

/**
 * An ordinary buffer over shared memory, because ONNX Runtime and much of Node accept no shared buffer, and JavaScript
 * can't convert one. The result is verified: a JavaScript engine that isolates its memory from native code might return
 * a copy.
 * @param native undefined if koffi isn't available: then there is no alias
 * @returns undefined if the two aren't the same memory
 */
export function aliasOf(shared: ArrayBufferLike, native: Native | undefined): ArrayBuffer | undefined {
	try {
		const buffer = native?.view(native.address(new Uint8Array(shared)), shared.byteLength);
		return buffer && isSameMemory(new Uint8Array(shared), new Uint8Array(buffer)) ? buffer : undefined;
	} catch (error) {
		log("shared memory can't be accessed as an ordinary buffer: %s", error);
		return undefined;
	}
}

/** Writes the first and the last byte through each buffer, reads it through the other, and writes zeros again. */
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
