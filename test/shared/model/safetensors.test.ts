import { readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import fc from "fast-check";
import { TailtuneError } from "../../../shared/errors.ts";
import type { StoredType } from "../../../shared/model/model-files.ts";
import { readSafetensorsFile, type TensorToWrite, writeSafetensors } from "../../../shared/model/safetensors.ts";
import { parseHeader } from "../../../shared/model/safetensors-header.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const shape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 });
const f32Tensor = shape.chain((shape) => {
	const size = shape.reduce((product, n) => product * n, 1);
	return fc.record({
		name: fc.string().filter((name) => name !== "__metadata__"),
		shape: fc.constant(shape),
		data: fc.float32Array({ minLength: size, maxLength: size }),
	});
});

/** Writes a file with the given header and `dataBytes` bytes of data. */
async function fileWith(t: ExecutionContext, header: unknown, dataBytes: number, length?: bigint): Promise<string> {
	const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
	const start = Buffer.alloc(8);
	start.writeBigUInt64LE(length ?? BigInt(text.length));
	const path = join(await temporaryFolder(t), "x.safetensors");
	await writeFile(path, Buffer.concat([start, text, Buffer.alloc(dataBytes)]));
	return path;
}

test("reads back the written names, shapes, numbers and metadata", async (t) => {
	const path = join(await temporaryFolder(t), "x.safetensors");
	const tensors = fc.uniqueArray(f32Tensor, { selector: ({ name }) => name, maxLength: 5 });
	const metadata = fc.dictionary(fc.string(), fc.string());
	await fc.assert(
		fc.asyncProperty(tensors, metadata, async (tensors, metadata) => {
			await writeSafetensors(path, tensors, metadata);
			const file = await readSafetensorsFile(path);
			t.deepEqual({ ...file.metadata }, { ...metadata });
			t.deepEqual([...file.tensors.keys()].sort(), tensors.map(({ name }) => name).sort());
			for (const { name, shape, data } of tensors) {
				t.deepEqual(file.tensors.get(name)?.shape, shape);
				t.deepEqual(await file.read(name), data);
			}
		}),
		{ numRuns: 60, seed: 1 },
	);
});

test("starts the data at a multiple of 64 bytes", async (t) => {
	const path = join(await temporaryFolder(t), "x.safetensors");
	for (const name of ["a", "a name that is longer", "x".repeat(64)]) {
		await writeSafetensors(path, [{ name, shape: [1], data: new Float32Array([1]) }]);
		t.is(((await readSafetensorsFile(path)).tensors.get(name)?.offset ?? 1) % 64, 0);
	}
});

const HALVES: [type: StoredType, bits: number, value: number][] = [
	["F16", 0x3c00, 1],
	["F16", 0xc000, -2],
	["F16", 0x7bff, 65504],
	["F16", 0x0400, 2 ** -14],
	["F16", 0x0001, 2 ** -24],
	["F16", 0x83ff, -1023 * 2 ** -24],
	["F16", 0x8000, -0],
	["F16", 0x3555, 0.333251953125],
	["F16", 0xfc00, Number.NEGATIVE_INFINITY],
	["F16", 0x7e00, Number.NaN],
	["BF16", 0x3f80, 1],
	["BF16", 0xc049, -3.140625],
	["BF16", 0x0001, 2 ** -133],
	["BF16", 0x7f80, Number.POSITIVE_INFINITY],
	["BF16", 0x7fc0, Number.NaN],
];

test("converts 16-bit numbers exactly, also the smallest and infinities", async (t) => {
	const path = join(await temporaryFolder(t), "x.safetensors");
	for (const type of ["F16", "BF16"] as const) {
		const cases = HALVES.filter(([caseType]) => caseType === type);
		const patterns = Uint16Array.from(cases, ([, bits]) => bits);
		await writeSafetensors(path, [{ name: "x", shape: [cases.length], type, data: new Uint8Array(patterns.buffer) }]);
		const numbers = await (await readSafetensorsFile(path)).read("x");
		t.deepEqual(
			[...numbers],
			cases.map(([, , value]) => value),
			type,
		);
	}
});

test("rounds numbers of 64 bits to the nearest of 32 bits", async (t) => {
	const path = join(await temporaryFolder(t), "x.safetensors");
	const given = Float64Array.of(1 / 3, -2.5e-45, 1e39, Number.NaN);
	await writeSafetensors(path, [{ name: "x", shape: [2, 2], type: "F64", data: new Uint8Array(given.buffer) }]);
	t.deepEqual(await (await readSafetensorsFile(path)).read("x"), Float32Array.from(given));
});

test("keeps only the older file if a tensor can't be read or doesn't fit its shape", async (t) => {
	const folder = await temporaryFolder(t);
	const path = join(folder, "x.safetensors");
	const good: TensorToWrite = { name: "a", shape: [2], data: new Float32Array([1, 2]) };
	await writeSafetensors(path, [good]);
	const before = await readFile(path);
	const failure = new TailtuneError("model", "not there");
	await t.throwsAsync(writeSafetensors(path, [good, { ...good, name: "b", data: () => Promise.reject(failure) }]), {
		is: failure,
	});
	await t.throwsAsync(writeSafetensors(path, [good, { ...good, name: "b", shape: [3] }]), {
		message: `${path}: tensor "b": found 8 bytes, expected 12 for F32 [3]`,
	});
	t.deepEqual(await readFile(path), before);
	t.deepEqual(await readdir(folder), ["x.safetensors"]);
});

test("reports a file that can't be written", async (t) => {
	const path = join(await temporaryFolder(t), "missing", "x.safetensors");
	await t.throwsAsync(writeSafetensors(path, []), { instanceOf: TailtuneError, code: "disk" });
});

const entry = { dtype: "F32", shape: [2], data_offsets: [0, 8] };
const REFUSED: [title: string, header: unknown, dataBytes: number, message: RegExp][] = [
	["invalid JSON", "hello", 0, /header isn't a JSON object/],
	["an array", [1], 0, /header isn't a JSON object/],
	[
		"an unknown type",
		{ a: { ...entry, dtype: "F12" } },
		8,
		/tensor "a": found type "F12", expected F32, F16, BF16 or F64$/,
	],
	["a negative shape", { a: { ...entry, shape: [-2] } }, 8, /tensor "a": header: shape\.0/],
	[
		"a million dimensions",
		{ a: { ...entry, shape: new Array(1e6).fill("x") } },
		8,
		/tensor "a": found 1000000 dimensions, expected at most 32$/,
	],
	["no shape", { a: { dtype: "F32", data_offsets: [0, 8] } }, 8, /tensor "a": header: shape/],
	["offsets that don't fit the shape", { a: { ...entry, shape: [3] } }, 8, /found 8 bytes, expected 12 for F32 \[3\]/],
	["reversed offsets", { a: { ...entry, data_offsets: [8, 0] } }, 8, /tensor "a": found -8 bytes/],
	[
		"a shape with too many elements to count",
		{ a: { ...entry, shape: [2 ** 40, 2 ** 40] } },
		8,
		/tensor "a": found 8 bytes/,
	],
	["an overlap", { a: entry, b: { ...entry, data_offsets: [4, 12] } }, 12, /tensor "b": found its start at byte \d+/],
	["a gap", { a: entry, b: { ...entry, data_offsets: [12, 20] } }, 20, /tensor "b": found its start at byte \d+/],
	["a tensor beyond the file", { a: { ...entry, shape: [4], data_offsets: [0, 16] } }, 8, /tensor "a": .*cut short/],
	["bytes of no tensor", { a: entry }, 9, /found \d+ bytes, expected \d+ by its header/],
	["a duplicate name", `{"a":${JSON.stringify(entry)},"\\u0061":${JSON.stringify(entry)}}`, 8, /has "a" twice/],
	["metadata that isn't strings", { __metadata__: { a: 1 }, a: entry }, 8, /__metadata__: expected only strings/],
];

for (const [title, header, dataBytes, message] of REFUSED) {
	test(`refuses a header with ${title}, naming file and tensor`, async (t) => {
		const path = await fileWith(t, header, dataBytes);
		const error = await t.throwsAsync<TailtuneError>(readSafetensorsFile(path), { instanceOf: TailtuneError });
		t.is(error?.code, "model");
		t.regex(error?.message ?? "", message);
		t.true(error?.message.includes(path));
		t.false(error?.message.includes("\n"));
	});
}

test("refuses a header longer than the file, a file without a header, and a missing file", async (t) => {
	await t.throwsAsync(fileWith(t, {}, 0, 3n).then(readSafetensorsFile), { code: "model", message: /at most 2/ });
	await t.throwsAsync(fileWith(t, {}, 0, 2n ** 64n - 1n).then(readSafetensorsFile), { code: "model" });
	const folder = await temporaryFolder(t);
	await writeFile(join(folder, "short"), "1234567");
	await t.throwsAsync(readSafetensorsFile(join(folder, "short")), { code: "model", message: /found 7 bytes/ });
	await t.throwsAsync(readSafetensorsFile(join(folder, "none")), { code: "not-found", message: /no such file/ });
	await t.throwsAsync(readSafetensorsFile(folder), { code: "model", message: /found a folder, expected a file$/ });
});

test("refuses to read a tensor of integers, a missing one, and one whose file was truncated later", async (t) => {
	const path = await fileWith(t, { a: { dtype: "I32", shape: [2], data_offsets: [0, 8] } }, 8);
	const file = await readSafetensorsFile(path);
	await t.throwsAsync(file.read("a"), { code: "model", message: /tensor "a": found type I32/ });
	await t.throwsAsync(file.read("b"), { code: "model", message: /no tensor "b"/ });
	const floats = await fileWith(t, { a: entry }, 8);
	const opened = await readSafetensorsFile(floats);
	await truncate(floats, 20);
	await t.throwsAsync(opened.read("a"), { code: "model", message: /found 20 bytes/ });
});

test("a changed header is refused, or all its tensors are inside the file", (t) => {
	const valid = JSON.stringify({ __metadata__: { a: "b" }, a: entry, "h.0\n": { ...entry, data_offsets: [8, 16] } });
	const edit = fc.record({
		at: fc.nat(valid.length),
		remove: fc.nat(6),
		insert: fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom('"', "{", "}", "-1", "1e9", "null", "\\", "[[")),
	});
	fc.assert(
		fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), fc.nat(40), (edits, dataBytes) => {
			const text = edits.reduce((s, { at, remove, insert }) => s.slice(0, at) + insert + s.slice(at + remove), valid);
			const fileBytes = 8 + text.length + dataBytes;
			try {
				for (const { offset, byteLength } of parseHeader(text, "x", 8 + text.length, fileBytes).tensors.values()) {
					if (offset < 8 + text.length || offset + byteLength > fileBytes) return false;
				}
				return true;
			} catch (error) {
				return error instanceof TailtuneError && error.code === "model" && !error.message.includes("\n");
			}
		}),
		{ numRuns: 2000, seed: 1 },
	);
	t.pass();
});
