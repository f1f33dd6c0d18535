import { TailtuneError } from "../errors.ts";
import { checksumOf, RunningChecksum } from "../files/checksum.ts";
import { readSafetensorsFile, type SafetensorsFile, writeSafetensors } from "./safetensors.ts";
import { formatHeader } from "./safetensors-header.ts";

/** Key of the header's own checksum. It comes first in the metadata, so that its position in the file is fixed. */
const OWN_KEY = "xxh64";
const NO_SUM = "0".repeat(16);
/** Position of the header's checksum in the file: the text starts after 8 bytes of length. */
const OWN_PLACE = 8 + `{"__metadata__":{"${OWN_KEY}":"`.length;

/** Size of a chunk. Hashing one must not block the event loop for long; the previous one is written meanwhile. */
const CHUNK_BYTES = 4 << 20;

/**
 * Writes float32 vectors as a safetensors file in which damage can be detected: its metadata contains an XXH64 of the
 * header and of each vector. The vectors are hashed while they are written.
 * @param vectors by name; must not change before `onTaken` is called
 * @throws TailtuneError "disk"
 */
export async function writeChecked(
	path: string,
	vectors: Readonly<Record<string, Float32Array>>,
	metadata: Readonly<Record<string, string>> = {},
	onTaken?: () => void,
): Promise<void> {
	const sums = Object.fromEntries(Object.keys(vectors).map((name) => [keyOf(name), NO_SUM]));
	async function* hashed(name: string, bytes: Uint8Array) {
		const sum = new RunningChecksum();
		for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
			const chunk = bytes.subarray(start, start + CHUNK_BYTES);
			sum.update(chunk);
			yield chunk;
		}
		sums[keyOf(name)] = sum.digest();
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

/** Returns the checksum of a vector that is stored in a file of `writeChecked`, in the form of `hexChecksum`. */
export function storedChecksum({ metadata }: Pick<SafetensorsFile, "metadata">, name: string): string | undefined {
	return metadata[keyOf(name)];
}

/** Computes the XXH64 of bytes: 16 hexadecimal digits. */
export function hexChecksum(bytes: Uint8Array): string {
	return checksumOf(bytes).toString("hex");
}

/** Returns a view of a vector's bytes, in the same memory. */
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
	return new TailtuneError("checksum", `${file}: damaged: the checksum of ${part} doesn't match`);
}

function keyOf(name: string): string {
	return `${OWN_KEY} ${name}`;
}
