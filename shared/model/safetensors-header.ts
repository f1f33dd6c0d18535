import { z } from "zod";
import { checkValue } from "../check-value.ts";
import { TailtuneError } from "../errors.ts";
import { parseJsonText } from "../files/json-file.ts";
import type { StoredTensor, StoredType } from "./model-files.ts";

/** A tensor as described in its file: like a StoredTensor, but the type may be one that we don't support. */
export interface FileTensor extends Omit<StoredTensor, "type"> {
	readonly type: string;
}

/** The content of a header, in its order. */
export interface SafetensorsHeader {
	/** The header's `__metadata__`. */
	readonly metadata: Readonly<Record<string, string>>;
	readonly tensors: ReadonlyMap<string, FileTensor>;
}

/** Name, shape and type (default: F32; U8: 8-bit numbers of an exported model) of a tensor to be written. */
export interface TensorDescription {
	readonly name: string;
	readonly shape: readonly number[];
	readonly type?: StoredType | "U8";
}

/** Maximum size of a header: enough for 50,000 tensors; reading it blocks the process for about a second. */
export const MAX_HEADER_BYTES = 8 << 20;

/** Maximum number of dimensions of a tensor. */
const MAX_DIMENSIONS = 32;

const BYTES_OF_TYPE: ReadonlyMap<string, number> = new Map([
	...["BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3"].map((type) => [type, 1] as const),
	...["U16", "I16", "F16", "BF16"].map((type) => [type, 2] as const),
	...["U32", "I32", "F32"].map((type) => [type, 4] as const),
	...["U64", "I64", "F64"].map((type) => [type, 8] as const),
]);

const entrySchema = z.object({
	dtype: z.string(),
	shape: z.array(z.int().min(0)),
	data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
});

/** Returns the number of bytes of a tensor of the given shape and type. */
export function byteLengthOf({ shape, type = "F32" }: Omit<TensorDescription, "name">): number {
	return sizeOf(shape) * (BYTES_OF_TYPE.get(type) as number);
}

/** Returns the number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
	return shape.reduce((product, n) => product * n, 1);
}

/** The types that can be read as float32, in words. */
export const STORED_TYPES = "F32, F16, BF16 or F64";

/** Whether tensors of a type can be read as float32. */
export function isStoredType(type: string): type is StoredType {
	return type === "F32" || type === "F16" || type === "BF16" || type === "F64";
}

/** Formats a name for error messages: in quotes, on one line, cut if it is too long. */
export function quote(name: string): string {
	return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}...` : name);
}

/**
 * Reads the JSON text of a header and checks it against the size of the file.
 * @param dataOffset position of the first byte after the header
 * @throws TailtuneError "model" that names file and tensor if the header is malformed, or contradicts itself or the
 * file
 */
export function parseHeader(text: string, file: string, dataOffset: number, fileBytes: number): SafetensorsHeader {
	const entries = parseEntries(text, file);
	const described = entries.find(([key]) => key === "__metadata__")?.[1] ?? {};
	const metadata = z.record(z.string(), z.string()).safeParse(described);
	if (!metadata.success) throw new TailtuneError("model", `${file}: __metadata__: expected only strings`);
	const tensors = new Map<string, FileTensor>();
	for (const [name, entry] of entries) {
		if (name !== "__metadata__") tensors.set(name, toTensor(file, name, entry, dataOffset));
	}
	const repeated = repeatedKey(text);
	if (repeated !== undefined) throw new TailtuneError("model", `${file}: the header has ${quote(repeated)} twice`);
	checkOffsets(file, tensors, dataOffset, fileBytes);
	return { metadata: metadata.data, tensors };
}

/** Builds the bytes before the first tensor, for tensors without gaps; padded to a multiple of 64 bytes. */
export function formatHeader(
	tensors: readonly TensorDescription[],
	metadata: Readonly<Record<string, string>>,
): Buffer {
	let end = 0;
	const entries = tensors.map(({ name, shape, type = "F32" }) => {
		const start = end;
		end += byteLengthOf({ shape, type });
		return [name, { dtype: type, shape, data_offsets: [start, end] }] as const;
	});
	const described = Object.keys(metadata).length > 0 ? [["__metadata__", metadata] as const] : [];
	const text = Buffer.from(JSON.stringify(Object.fromEntries([...described, ...entries])));
	const header = Buffer.alloc(Math.ceil((8 + text.length) / 64) * 64, " ");
	header.writeBigUInt64LE(BigInt(header.length - 8));
	text.copy(header, 8);
	return header;
}

function parseEntries(text: string, file: string): [string, unknown][] {
	try {
		const header = parseJsonText(text, file, "model");
		if (typeof header === "object" && header !== null && !Array.isArray(header)) return Object.entries(header);
	} catch {
		// Continues with the same refusal, because the parser's message about binary data wouldn't help.
	}
	throw new TailtuneError("model", `${file}: the header isn't a JSON object, expected a safetensors file`);
}

function toTensor(file: string, name: string, entry: unknown, dataOffset: number): FileTensor {
	const refuse = (found: string): never => {
		throw new TailtuneError("model", `${file}: tensor ${quote(name)}: ${found}`);
	};
	const { shape: given } = (entry ?? {}) as { readonly shape?: unknown };
	if (Array.isArray(given) && given.length > MAX_DIMENSIONS)
		return refuse(`found ${given.length} dimensions, expected at most ${MAX_DIMENSIONS}`);
	const { dtype, shape, data_offsets } = checkValue(
		entrySchema,
		entry,
		`${file}: tensor ${quote(name)}: header`,
		"model",
	);
	const bytesEach = BYTES_OF_TYPE.get(dtype);
	if (bytesEach === undefined) return refuse(`found type ${quote(dtype)}, expected ${STORED_TYPES}`);
	const byteLength = data_offsets[1] - data_offsets[0];
	const expected = sizeOf(shape) * bytesEach;
	if (byteLength !== expected) refuse(`found ${byteLength} bytes, expected ${expected} for ${dtype} [${shape}]`);
	return { file, type: dtype, shape, offset: dataOffset + data_offsets[0], byteLength };
}

// JSON.parse silently keeps the last of equal keys. The text is already known to be valid, and all values to be
// objects.
function repeatedKey(text: string): string | undefined {
	const seen = new Set<string>();
	let depth = 0;
	for (let i = 0; i < text.length; i++) {
		const character = text[i];
		if (character === "{") depth++;
		else if (character === "}") depth--;
		else if (character === '"') {
			const start = i++;
			while (text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
			if (depth !== 1) continue;
			const key = JSON.parse(text.slice(start, i + 1)) as string;
			if (seen.has(key)) return key;
			seen.add(key);
		}
	}
	return undefined;
}

// In this format every byte belongs to exactly one tensor, so checking the tensors in file order finds every wrong
// offset.
function checkOffsets(file: string, tensors: ReadonlyMap<string, FileTensor>, dataOffset: number, fileBytes: number) {
	const inOrder = [...tensors].sort(([, a], [, b]) => a.offset - b.offset || a.byteLength - b.byteLength);
	let end = dataOffset;
	for (const [name, { offset, byteLength }] of inOrder) {
		const refuse = (found: string): never => {
			throw new TailtuneError("model", `${file}: tensor ${quote(name)}: ${found}`);
		};
		if (offset !== end) refuse(`found its start at byte ${offset}, expected ${end}, the end of the tensor before`);
		end += byteLength;
		if (end > fileBytes) refuse(`found its end at byte ${end}, expected at most ${fileBytes}, the file's (cut short?)`);
	}
	if (end !== fileBytes)
		throw new TailtuneError("model", `${file}: found ${fileBytes} bytes, expected ${end} by its header`);
}
