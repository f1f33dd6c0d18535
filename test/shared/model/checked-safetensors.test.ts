import { join } from "node:path";
import test from "ava";
import fc from "fast-check";
import { readChecked, writeChecked } from "../../../shared/model/checked-safetensors.ts";
import { readSafetensorsFile } from "../../../shared/model/safetensors.ts";
import { flipBits } from "../../flip-bits.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const vector = fc.float32Array({ maxLength: 20, noNaN: true });

test("vectors and metadata are read back unchanged, and the plain safetensors reader can read them too", async (t) => {
	const path = join(await temporaryFolder(t), "x.safetensors");
	const vectors = fc.dictionary(fc.stringMatching(/^[a-z]+$/), vector, { maxKeys: 4 });
	const metadata = fc.dictionary(fc.stringMatching(/^[A-Z]+$/), fc.string());
	await fc.assert(
		fc.asyncProperty(vectors, metadata, async (vectors, metadata) => {
			await writeChecked(path, vectors, metadata);
			const checked = await readChecked(path);
			const plain = await readSafetensorsFile(path);
			t.deepEqual({ ...checked.metadata, ...metadata }, { ...checked.metadata });
			t.deepEqual([...checked.tensors.keys()].sort(), Object.keys(vectors).sort());
			for (const [name, data] of Object.entries(vectors)) {
				t.deepEqual(await checked.read(name), data);
				t.deepEqual(await plain.read(name), data);
			}
		}),
		{ numRuns: 40 },
	);
});

test("a vector of several chunks is read back, and its checksum covers all chunks", async (t) => {
	const path = join(await temporaryFolder(t), "x.safetensors");
	const long = Float32Array.from({ length: (9 << 20) / 4 + 1 }, (_, i) => i);
	await writeChecked(path, { long });
	const read = await (await readChecked(path)).read("long");
	t.is(Buffer.compare(Buffer.from(read.buffer), Buffer.from(long.buffer)), 0);
});

test("any flipped bit is found: in lengths, names, metadata, checksums, padding and numbers", async (t) => {
	const path = join(await temporaryFolder(t), "x.safetensors");
	await writeChecked(path, { a: Float32Array.from([0, 1, -2]), b: new Float32Array(5) }, { progress: '{"step":7}' });
	const readAll = async () => {
		const file = await readChecked(path);
		for (const name of ["a", "b"]) await file.read(name);
	};
	await t.notThrowsAsync(readAll());
	const check = (outcome: string) => {
		if (!outcome.startsWith(`TailtuneError: ${path}: `)) t.fail(outcome);
	};
	const examples = (bits: number): [number][] => [[0], [8 * 8 - 1], [bits - 1]];
	await flipBits(path, readAll, check, { numRuns: 300, examples });
	t.pass();
});
