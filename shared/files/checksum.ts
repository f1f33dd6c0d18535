import { createXXHash64 } from "hash-wasm";

const hasher = await createXXHash64();

/** XXH64 of bytes, seed 0, big-endian as its specification prints it: 8 bytes. Four times as fast as zlib's CRC-32. */
export function checksumOf(bytes: Uint8Array): Buffer {
	return Buffer.from(hasher.init().update(bytes).digest("binary"));
}
