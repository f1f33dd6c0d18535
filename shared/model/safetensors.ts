import { type FileHandle, realpath } from "node:fs/promises";
import { TailtuneError } from "../errors.ts";
import { openRegularFile } from "../files/regular-file.ts";
import { replaceFile } from "../files/write-atomic.ts";
import { widen } from "./half-precision.ts";
import {
	byteLengthOf,
	type FileTensor,
	formatHeader,
	isStoredType,
	MAX_HEADER_BYTES,
	parseHeader,
	quote,
	type SafetensorsHeader,
	STORED_TYPES,
	sizeOf,
	type TensorDescription,
} from "./safetensors-header.ts";

/** A safetensors file with a header that was checked against the file's length. */
export interface SafetensorsFile extends SafetensorsHeader {
	/** Absolute path, links resolved. */
	readonly file: string;
	/** Reads a whole tensor as float32. Throws TailtuneError "model" if it doesn't exist or its type isn't supported. */
	read(name: string): Promise<Float32Array>;
}

/** A tensor to be written. */
export interface TensorToWrite extends TensorDescription {
	/**
	 * F32 numbers, or the bytes of any type, possibly in chunks, each valid until the next one is requested. A function
	 * is called when the tensor is about to be written.
	 */
	readonly data: TensorData | (() => TensorData | Promise<TensorData>);
}

type TensorData = Float32Array | Uint8Array | AsyncIterable<Uint8Array>;

// A system call reads or writes at most 2 GiB.
const READ_BYTES = 1 << 28;
const WRITE_BYTES = 1 << 30;

type Metadata = Readonly<Record<string, string>>;

/**
 * Reads and checks the header of a safetensors file; no tensor is read yet.
 * @param checkHeader called with the file's bytes up to the first tensor, including the length, before they are parsed
 * @throws TailtuneError "model" that names file and tensor if the header is malformed or doesn't match the file;
 *   "not-found" if there is no file
 */
export async function readSafetensorsFile(
	path: string,
	checkHeader: (header: Buffer, file: string) => void = () => {},
): Promise<SafetensorsFile> {
	const handle = await openToRead(path);
	try {
		const file = await realpath(path);
		const header = await readHeader(handle, file, checkHeader);
		const read = async (name: string) => {
			const tensor = header.tensors.get(name);
			if (!tensor) throw new TailtuneError("model", `${file}: contains no tensor ${quote(name)}`);
			return readTensor(tensor, name);
		};
		return { file, ...header, read };
	} finally {
		await handle.close();
	}
}

/**
 * Reads a whole tensor as float32; F16 and BF16 are converted exactly, F64 is rounded.
 * @throws TailtuneError "model" if the type isn't supported, or the file has become shorter than stated in its header
 */
export async function readTensor(tensor: FileTensor, name: string): Promise<Float32Array> {
	const { file, type, byteLength } = tensor;
	if (!isStoredType(type)) {
		throw new TailtuneError("model", `${file}: tensor ${quote(name)}: found type ${type}, expected ${STORED_TYPES}`);
	}
	if (type === "F64") return Float32Array.from(await readDoubles(tensor));
	const numbers = new Float32Array(sizeOf(tensor.shape));
	// 16-bit numbers are read into the second half of the memory: converted from the front, none is overwritten too
	// early.
	const stored = new Uint8Array(numbers.buffer, numbers.byteLength - byteLength);
	await readBytes(tensor, stored);
	if (type !== "F32") widen(type, new Uint16Array(stored.buffer, stored.byteOffset, numbers.length), numbers);
	return numbers;
}

async function readDoubles(tensor: FileTensor): Promise<Float64Array> {
	const numbers = new Float64Array(sizeOf(tensor.shape));
	await readBytes(tensor, new Uint8Array(numbers.buffer));
	return numbers;
}

async function readBytes({ file, offset }: FileTensor, into: Uint8Array): Promise<void> {
	const handle = await openToRead(file);
	try {
		await readFully(handle, into, offset, file);
	} finally {
		await handle.close();
	}
}

/**
 * Writes a safetensors file under a temporary name and renames it. Tensors are written one by one in the given order,
 * the first number at a multiple of 64 bytes; at most one tensor given by a function is in memory at a time.
 * @param metadata a function is called before and after the tensors are written; both results must have the same length
 * @param onTaken called when all data was passed to the system and may change again, before it is flushed to the disk
 * @throws TailtuneError "disk" if the file can't be written, "model" if data and shape of a tensor don't match
 */
export async function writeSafetensors(
	path: string,
	tensors: Iterable<TensorToWrite>,
	metadata: Metadata | (() => Metadata) = {},
	onTaken: () => void = () => {},
): Promise<void> {
	const list = [...tensors];
	const header = () => formatHeader(list, typeof metadata === "function" ? metadata() : metadata);
	await replaceFile(path, async (file) => {
		const before = header();
		await writeFully(file, before);
		for (const tensor of list) await writeTensor(file, path, tensor);
		onTaken();
		if (typeof metadata === "function") await file.write(header(), 0, before.length, 0);
	});
}

/** Opens a safetensors file for reading. Throws TailtuneError "not-found" or "model". */
export async function openToRead(path: string): Promise<FileHandle> {
	return openRegularFile(path, "model");
}

/** Fills `into` from a position in the file. Throws TailtuneError "model" if the file ends before. */
export async function readFully(handle: FileHandle, into: Uint8Array, position: number, file: string): Promise<void> {
	for (let done = 0; done < into.length; ) {
		const { bytesRead } = await handle.read(into, done, Math.min(READ_BYTES, into.length - done), position + done);
		if (bytesRead === 0) {
			const expected = position + into.length;
			const { size } = await handle.stat();
			throw new TailtuneError("model", `${file}: found ${size} bytes, expected at least ${expected}`);
		}
		done += bytesRead;
	}
}

async function readHeader(
	handle: FileHandle,
	file: string,
	checkHeader: (header: Buffer, file: string) => void,
): Promise<SafetensorsHeader> {
	const { size } = await handle.stat();
	const start = Buffer.alloc(8);
	await readFully(handle, start, 0, file);
	const length = Number(start.readBigUInt64LE());
	const longest = Math.min(MAX_HEADER_BYTES, size - start.length);
	if (length > longest) {
		throw new TailtuneError(
			"model",
			`${file}: found header length ${length}, expected at most ${longest} (cut short, or not a safetensors file?)`,
		);
	}
	const header = Buffer.alloc(start.length + length);
	await readFully(handle, header, 0, file);
	checkHeader(header, file);
	return parseHeader(header.toString("utf8", start.length), file, header.length, size);
}

async function writeTensor(file: FileHandle, path: string, tensor: TensorToWrite): Promise<void> {
	const { name, shape, type = "F32", data } = tensor;
	const given = typeof data === "function" ? await data() : data;
	const expected = byteLengthOf({ shape, type });
	const refuse = (bytes: number) => {
		const found = `found ${bytes} bytes, expected ${expected} for ${type} [${shape}]`;
		throw new TailtuneError("model", `${path}: tensor ${quote(name)}: ${found}`);
	};
	if (Symbol.asyncIterator in given) {
		let bytes = 0;
		for await (const chunk of given) {
			bytes += chunk.byteLength;
			if (bytes > expected) refuse(bytes);
			await writeFully(file, chunk);
		}
		if (bytes !== expected) refuse(bytes);
		return;
	}
	if (given.byteLength !== expected || (given instanceof Float32Array && type !== "F32")) refuse(given.byteLength);
	await writeFully(file, new Uint8Array(given.buffer, given.byteOffset, given.byteLength));
}

// In as few calls as possible: `writeFile` writes half a MiB per call.
async function writeFully(file: FileHandle, bytes: Uint8Array): Promise<void> {
	for (let done = 0; done < bytes.length; ) {
		const { bytesWritten } = await file.write(bytes, done, Math.min(WRITE_BYTES, bytes.length - done));
		done += bytesWritten;
	}
}
