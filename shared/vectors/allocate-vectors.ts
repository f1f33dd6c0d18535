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

/** The shared memory of each alias, which must live as long as the alias. */
const memoryOfAlias = new WeakMap<ArrayBufferLike, SharedArrayBuffer>();

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
	const buffer = aliasOf(memory.buffer as SharedArrayBuffer, koffi);
	if (buffer) registerAlias(buffer, memory);
	return buffer;
}

/**
 * Returns the vector as a view of the shared memory in which it lies, to be sent to a thread; undefined if it lies in
 * other memory.
 */
export function sharedViewOf({
	buffer,
	byteOffset,
	length,
}: Float32Array): Float32Array<SharedArrayBuffer> | undefined {
	const shared = buffer instanceof SharedArrayBuffer ? buffer : memoryOfAlias.get(buffer);
	return shared && new Float32Array(shared, byteOffset, length);
}

/** The functions of koffi that make an alias. */
type Native = Pick<NonNullable<typeof koffi>, "address" | "view">;

/**
 * Makes an ordinary buffer over shared memory, because ONNX Runtime and much of Node accept no shared buffer, and
 * JavaScript can't convert one. A JavaScript engine that isolates its memory from native code might make a copy, so
 * this is tried first, with other memory: threads may be using this one. Make one alias per memory and thread.
 * @param native undefined if koffi isn't available: then there is no alias
 * @returns undefined if the two wouldn't be the same memory
 */
export function aliasOf(shared: SharedArrayBuffer, native: Native | undefined): ArrayBuffer | undefined {
	if (!native) return undefined;
	const view = (of: SharedArrayBuffer) => native.view(native.address(new Uint8Array(of)), of.byteLength);
	try {
		const tried = new SharedArrayBuffer(64);
		if (!isSameMemory(new Uint8Array(tried), new Uint8Array(view(tried)))) return undefined;
		const buffer = view(shared);
		memoryOfAlias.set(buffer, shared);
		return buffer;
	} catch (error) {
		log("shared memory can't be accessed as an ordinary buffer: %s", error);
		return undefined;
	}
}

/** Writes the first and the last byte through each buffer, and reads it through the other. */
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
