import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { execa } from "execa";
import { allocateVectors } from "../../../shared/vectors/allocate-vectors.ts";
import {
	createKernelMemory,
	NUMBER_BYTES,
	registerAlias,
	WORKSPACE_BYTES,
} from "../../../shared/vectors/kernel-memory.ts";
import type { Kernels } from "../../../shared/vectors/kernels.ts";
import { overVectors } from "../../../shared/vectors/vector-kernels.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const name = "shared/vectors/vector-kernels";
const { fround } = Math;

test("the .wasm is up to date: npm run kernels doesn't change it", async (t) => {
	const folder = await mkdtemp(join(tmpdir(), "tailtune-kernels-"));
	try {
		const made = join(folder, "made.wasm");
		await execa("wat2wasm", ["--enable-threads", `${name}.wat`, "-o", made], { cwd: root, preferLocal: true });
		t.deepEqual(await readFile(made), await readFile(join(root, `${name}.wasm`)));
	} finally {
		await rm(folder, { recursive: true });
	}
});

test("vectors of one memory are zeros, have the requested lengths and don't overlap", (t) => {
	const vectors = allocateVectors(3, 0, 70_000, 1);
	t.deepEqual(
		vectors.map(({ length }) => length),
		[3, 0, 70_000, 1],
	);
	t.is(new Set(vectors.map(({ buffer }) => buffer)).size, 1);
	for (const [i, vector] of vectors.entries()) {
		t.true(vector.every((number) => number === 0));
		vector.fill(i + 1);
	}
	for (const [i, vector] of vectors.entries()) t.true(vector.every((number) => number === i + 1));
});

test("vectors in kernel memory are computed in place, others in tiles", (t) => {
	const seen: (readonly number[])[] = [];
	const kernels: Kernels = ({ size, at }) => {
		seen.push([size, ...at]);
		return 0;
	};
	const buffer = new ArrayBuffer(WORKSPACE_BYTES + 8192 * NUMBER_BYTES);
	registerAlias(buffer, { ...createKernelMemory(buffer.byteLength), kernels });
	const inside = new Float32Array(buffer, WORKSPACE_BYTES);
	const outside = new Float32Array(8192);
	overVectors("addWeighted", [inside, outside], [1], { length: 8192, written: 1 });
	const [[bytes = 0, first = 0, tile = 0] = []] = seen;
	t.is(first, inside.byteOffset);
	t.deepEqual(
		seen,
		seen.map((_, i) => [bytes, first + i * bytes, tile]),
	);
	t.is(bytes * seen.length, inside.byteLength);
});

test("vectors in one memory and in others give the same result, and later numbers aren't changed", (t) => {
	const length = 5000;
	const sums = [allocateVectors(8192, 8192), [new Float32Array(8192), new Float32Array(8192)] as const].flatMap(
		([total, addend]) =>
			[addend, addend.slice()].map((x) => {
				for (let i = 0; i < x.length; i++) x[i] = Math.sin(i);
				total.fill(1);
				overVectors("addWeighted", [total, x], [0.1], { length, written: 1 });
				return [...total];
			}),
	);
	const expected = Array.from({ length: 8192 }, (_, i) =>
		i < length ? fround(1 + fround(fround(0.1) * fround(Math.sin(i)))) : 1,
	);
	for (const sum of sums) t.deepEqual(sum, expected);
});
