import koffi from "koffi";
import { createHome, MEMORY_BYTES, NUMBER_BYTES, TILES_BYTES } from "./home.ts";
import { settle } from "./vector-kernels.ts";

const LINE_BYTES = 64;

/**
 * Vectors of zeros, all in one memory that the kernels reach: they are computed on where they lie, others are copied in
 * and out tile by tile, with the same result. Where 4 GiB don't hold them they are ordinary arrays.
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

/**
 * A memory that the kernels' threads share, as an ordinary buffer: ONNX Runtime, and much of Node, take no shared one, and
 * JavaScript has no way from one to the other.
 */
function allocateBuffer(bytes: number): ArrayBuffer {
	const home = createHome(bytes);
	const { byteLength } = home.buffer;
	const buffer = koffi.view(koffi.address(new Uint8Array(home.buffer)), byteLength);
	settle(buffer, home);
	return buffer;
}
