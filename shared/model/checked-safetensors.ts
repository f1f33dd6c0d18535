import { createXXHash64 } from "hash-wasm";
import { TailtuneError } from "../errors.ts";
import { checksumOf } from "../files/checksum.ts";
import { readSafetensorsFile, type SafetensorsFile, writeSafetensors } from "./safetensors.ts";
import { formatHeader } from "./safetensors-header.ts";

/** Key of the header's own checksum: the first of the metadata, so that its place in the file is fixed. */
const OWN_KEY = "xxh64";
const NO_SUM = "0".repeat(16);
/** First byte of the header's checksum: 8 bytes of length come before the text. */
const OWN_PLACE = 8 + `{"__metadata__":{"${OWN_KEY}":"`.length;

/** Hashed while the chunk before is written: small enough that nothing waits long for the event loop. */
const CHUNK_BYTES = 4 << 20;

/**
 * Writes float32 vectors as a safetensors file that shows any later damage: its metadata holds an XXH64 of the header and
 * of each vector. The vectors are hashed while they are written.
 * @param vectors by name; they must not change before `onTaken` is called
 * @throws TailtuneError "disk"
 */
export async function writeChecked(
	path: string,
	vectors: Readonly<Record<string, Float32Array>>,
	metadata: Readonly<Record<string, string>> = {},
	onTaken?: () => void,
): Promise<void> {
	const hasher = await createXXHash64();
	const sums = Object.fromEntries(Object.keys(vectors).map((name) => [keyOf(name), NO_SUM]));
	async function* hashed(name: string, bytes: Uint8Array) {
		hasher.init();
		for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
			const chunk = bytes.subarray(start, start + CHUNK_BYTES);
			hasher.update(chunk);
			yield chunk;
		}
		sums[keyOf(name)] = hasher.digest();
	}
	const tensors = Object.entries(vectors).map(([name, data]) => {
		return { name, shape: [data.length], data: () => hashed(name, bytesOf(data)) };
	});
	const sealed = () => {
		const unsealed = { [OWN_KEY]: NO_SUM, ...metadata, ...sums };
		return { ...unsealed, [OWN_KEY]: hexChecksum(formatHeader(tensors, unsealed)) };
	};
	await writeSafetensors(path, tensors, sealed, onTaken);
}

/**
 * Opens a file of `writeChecked`. The header is checked at once, a vector when `read` reads it.
 * @throws TailtuneError "checksum" if the header isn't as it was written, "not-found" if there is no file
 */
export async function readChecked(path: string): Promise<SafetensorsFile> {
	const file = await readSafetensorsFile(path, checkHeader);
	const read = async (name: string) => {
		const numbers = await file.read(name);
		if (hexChecksum(bytesOf(numbers)) !== storedChecksum(file, name)) throw damaged(file.file, `"${name}"`);
		return numbers;
	};
	return { ...file, read };
}

/** The checksum of a vector in a file of `writeChecked`, as `hexChecksum` gives it. */
export function storedChecksum({ metadata }: Pick<SafetensorsFile, "metadata">, name: string): string | undefined {
	return metadata[keyOf(name)];
}

/** XXH64 of bytes: 16 hexadecimal digits. */
export function hexChecksum(bytes: Uint8Array): string {
	return checksumOf(bytes).toString("hex");
}

/** The bytes of a vector; the same memory. */
export function bytesOf(numbers: Float32Array): Uint8Array {
	return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

function checkHeader(header: Buffer, file: string): void {
	const own = header.subarray(OWN_PLACE, OWN_PLACE + NO_SUM.length);
	const expected = own.toString("latin1");
	own.fill("0");
	if (hexChecksum(header) !== expected) throw damaged(file, "the header");
	own.write(expected, "latin1");
}

function damaged(file: string, part: string): TailtuneError {
	return new TailtuneError("checksum", `${file}: damaged: the checksum of ${part} isn't the one it was written with`);
}

function keyOf(name: string): string {
	return `${OWN_KEY} ${name}`;
}
