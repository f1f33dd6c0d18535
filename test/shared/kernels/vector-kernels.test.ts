import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { execa } from "execa";
import { allocateVectors, overTiles } from "../../../shared/kernels/vector-kernels.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const name = "shared/kernels/vector-kernels";

test("the .wasm is what npm run kernels makes of the .wat", async (t) => {
	const folder = await mkdtemp(join(tmpdir(), "tailtune-kernels-"));
	try {
		const made = join(folder, "made.wasm");
		await execa("wat2wasm", [`${name}.wat`, "-o", made], { cwd: root, preferLocal: true });
		t.deepEqual(await readFile(made), await readFile(join(root, `${name}.wasm`)));
	} finally {
		await rm(folder, { recursive: true });
	}
});

test("vectors of one memory are zeros of the lengths asked for, and apart", (t) => {
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

test("what lives in the kernels' memory is computed on where it lies, the rest by tile", (t) => {
	const [inside] = allocateVectors(8192);
	const outside = new Float32Array(8192);
	const seen: (readonly number[])[] = [];
	overTiles([inside, outside], { length: 8192, written: 1 }, (_, bytes, at) => seen.push([bytes, ...at]));
	const [[bytes = 0, first = 0, tile = 0] = []] = seen;
	t.is(first, inside.byteOffset);
	t.deepEqual(
		seen,
		seen.map((_, i) => [bytes, first + i * bytes, tile]),
	);
	t.is(bytes * seen.length, inside.byteLength);
});
