import { z } from "zod";
import { describeIssue } from "../describe-issue.ts";
import { TailtuneError } from "../errors.ts";
import type { StoredTensor, StoredType } from "./model-files.ts";

/** A tensor as its file describes it: like a StoredTensor, but its type may be one that we don't compute with. */
export interface FileTensor extends Omit<StoredTensor, "type"> {
	readonly type: string;
}

/** What a file says of its tensors, in the order of the header. */
export interface SafetensorsHeader {
	/** The header's `__metadata__`. */
	readonly metadata: Readonly<Record<string, string>>;
	readonly tensors: ReadonlyMap<string, FileTensor>;
}

/** Name, shape and type of a tensor that is to be written; the type is F32 where it isn't said. */
export interface TensorDescription {
	readonly name: string;
	readonly shape: readonly number[];
	readonly type?: StoredType;
}

/**
 * The most bytes that a header may have: room for 50,000 tensors, and read in about a second, in which nothing else gets its
 * turn.
 */
export const LONGEST_HEADER_BYTES = 8 << 20;

/** The most dimensions of a tensor. */
const MOST_DIMENSIONS = 32;

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

/** Bytes that a tensor of that shape and type takes. */
export function byteLengthOf({ shape, type = "F32" }: Omit<TensorDescription, "name">): number {
	return sizeOf(shape) * (BYTES_OF_TYPE.get(type) as number);
}

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
	return shape.reduce((product, n) => product * n, 1);
}

/** Whether tensors of that type can be read as float32. */
export function isStoredType(type: string): type is StoredType {
	return type === "F32" || type === "F16" || type === "BF16";
}

/** A name as error messages show it: in quotes, on one line, cut where it is too long for one. */
export function quote(name: string): string {
	return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}...` : name);
}

/**
 * Reads the JSON text of a header and checks it against the size of the file.
 * @param dataOffset first byte after the header
 * @throws TailtuneError "model" naming file and tensor where the header isn't well-formed or contradicts itself or the file
 */
export function parseHeader(text: string, file: string, dataOffset: number, fileBytes: number): SafetensorsHeader {
	const entries = parseEntries(text, file);
	const described = entries.find(([key]) => key === "__metadata__")?.[1] ?? {};
	const metadata = z.record(z.string(), z.string()).safeParse(described);
	if (!metadata.success) throw new TailtuneError("model", `${file}: __metadata__ holds more than strings`);
	const tensors = new Map<string, FileTensor>();
	for (const [name, entry] of entries) {
		if (name !== "__metadata__") tensors.set(name, toTensor(file, name, entry, dataOffset));
	}
	const repeated = repeatedKey(text);
	if (repeated !== undefined) throw new TailtuneError("model", `${file}: the header has ${quote(repeated)} twice`);
	checkPlaces(file, tensors, dataOffset, fileBytes);
	return { metadata: metadata.data, tensors };
}

/** The bytes before the first tensor, for tensors that follow each other; padded to a multiple of 64. */
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
		const header: unknown = JSON.parse(text);
		if (typeof header === "object" && header !== null && !Array.isArray(header)) return Object.entries(header);
	} catch {
		// Falls through to the same refusal: what the parser says of binary data helps nobody.
	}
	throw new TailtuneError("model", `${file}: the header is no JSON object, expected a safetensors file`);
}

function toTensor(file: string, name: string, entry: unknown, dataOffset: number): FileTensor {
	const refuse = (found: string): never => {
		throw new TailtuneError("model", `${file}: tensor ${quote(name)}: ${found}`);
	};
	const { shape: given } = (entry ?? {}) as { readonly shape?: unknown };
	if (Array.isArray(given) && given.length > MOST_DIMENSIONS)
		return refuse(`found ${given.length} dimensions, expected at most ${MOST_DIMENSIONS}`);
	const parsed = entrySchema.safeParse(entry, { reportInput: true });
	if (!parsed.success) {
		const issue = parsed.error.issues[0] as z.core.$ZodIssue;
		return refuse(`header field ${issue.path.join(".") || "itself"}: ${describeIssue(issue)}`);
	}
	const { dtype, shape, data_offsets } = parsed.data;
	const bytesEach = BYTES_OF_TYPE.get(dtype);
	if (bytesEach === undefined) return refuse(`found type ${quote(dtype)}, expected F32, F16 or BF16`);
	const byteLength = data_offsets[1] - data_offsets[0];
	const expected = sizeOf(shape) * bytesEach;
	if (byteLength !== expected) refuse(`found ${byteLength} bytes, expected ${expected} for ${dtype} [${shape}]`);
	return { file, type: dtype, shape, offset: dataOffset + data_offsets[0], byteLength };
}

// JSON.parse keeps the last of equal keys and says nothing. Here the text is known to be valid, and all values objects.
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

// The format leaves no byte unused and uses none twice, so one walk in file order finds every lie about places.
function checkPlaces(file: string, tensors: ReadonlyMap<string, FileTensor>, dataOffset: number, fileBytes: number) {
	const inOrder = [...tensors].sort(([, a], [, b]) => a.offset - b.offset || a.byteLength - b.byteLength);
	let end = dataOffset;
	for (const [name, { offset, byteLength }] of inOrder) {
		const refuse = (found: string): never => {
			throw new TailtuneError("model", `${file}: tensor ${quote(name)}: ${found}`);
		};
		if (offset !== end) refuse(`found its start at byte ${offset}, expected ${end}, where the one before it ends`);
		end += byteLength;
		if (end > fileBytes) refuse(`found its end at byte ${end}, expected at most ${fileBytes}, the file's (cut short?)`);
	}
	if (end !== fileBytes)
		throw new TailtuneError("model", `${file}: found ${fileBytes} bytes, expected ${end} by its header`);
}
