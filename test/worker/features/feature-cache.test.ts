import { mkdir, readdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import fc from "fast-check";
import { FeatureCache } from "../../../worker/features/feature-cache.ts";
import { newFolder } from "../../new-folder.ts";

const KIND = { modelHash: "a" };
const PLENTY = 1e9;

/** Adds entries and waits for the disk. */
async function addToCache(folder: string, entries: Record<string, Float32Array>, bytes = PLENTY, kind: object = KIND) {
	const cache = new FeatureCache(kind, { folder, bytes });
	await cache.add(new Map(Object.entries(entries)));
	await cache.flush();
}

/** Loads features as a new process would. */
async function load(folder: string, keys: string[], kind: object = KIND) {
	return new FeatureCache(kind, { folder, bytes: PLENTY }).load(keys);
}

/** Lists the feature files. */
async function featureFiles(folder: string): Promise<string[]> {
	const files = await readdir(folder, { recursive: true });
	return files.filter((name) => name.endsWith(".safetensors")).map((name) => join(folder, name));
}

const ones = (length: number) => new Float32Array(length).fill(1);

test("added features are found by a later process bit for bit, only under their own key and kind", async (t) => {
	const entries = fc.dictionary(fc.string({ minLength: 1 }), fc.uint32Array({ minLength: 1, maxLength: 20 }), {
		minKeys: 1,
		maxKeys: 8,
	});
	await fc.assert(
		fc.asyncProperty(entries, async (all) => {
			const folder = await newFolder();
			const floats = Object.entries(all).map(([key, bits]) => [key, new Float32Array(bits.slice().buffer)] as const);
			await addToCache(folder, Object.fromEntries(floats));
			const found = await load(folder, [...Object.keys(all), "unknown \u0100"]);
			t.deepEqual([...found.keys()].sort(), Object.keys(all).sort());
			for (const [key, numbers] of found) t.deepEqual(new Uint32Array(numbers.buffer), all[key]);
			t.is((await load(folder, Object.keys(all), { modelHash: "b" })).size, 0);
		}),
		{ numRuns: 15 },
	);
});

test("damaged features are not found, and can be written again", async (t) => {
	const folder = await newFolder();
	const damages: ((file: Buffer) => Buffer)[] = [
		(file) => file.fill(7, file.length - 1),
		(file) => file.subarray(0, -4),
		(file) => file.fill(0xff, 0, 8),
		() => Buffer.alloc(0),
		// A bit of a tensor's name: only the header's checksum detects it.
		(file) => file.fill("f", file.indexOf('":{"dtype"') - 1, file.indexOf('":{"dtype"')),
	];
	for (const damage of damages) {
		await addToCache(folder, { a: ones(8) });
		const [path = ""] = await featureFiles(folder);
		await writeFile(path, damage(await readFile(path)));
		t.is((await load(folder, ["a"])).size, 0);
		t.deepEqual(await featureFiles(folder), []);
		await addToCache(folder, { a: ones(8) });
		t.deepEqual((await load(folder, ["a"])).get("a"), ones(8));
	}
});

test("the least recently used files are removed when space is needed, but never files of the run itself", async (t) => {
	const folder = await newFolder();
	for (const [age, key] of ["old", "older", "new"].entries()) {
		await addToCache(folder, { [key]: ones(1000) }, PLENTY, { key });
		const [path = ""] = (await featureFiles(folder)).slice(-1);
		t.true((await stat(path)).size >= 4000);
		const last = (await load(folder, [key], { key })).size;
		t.is(last, 1);
		for (const path of await featureFiles(join(folder))) {
			if ((await stat(path)).mtimeMs > Date.now() - 60_000) await utimes(path, 1000 + age, 1000 + age);
		}
	}
	await load(folder, ["old"], { key: "old" });
	await addToCache(folder, { more: ones(1000) }, 14_000, { key: "more" });
	const left = async (key: string) => (await load(folder, [key], { key })).size;
	t.deepEqual([await left("old"), await left("older"), await left("new"), await left("more")], [1, 0, 1, 1]);

	// Otherwise they could be as new as this cache: files that were used since it began are never removed.
	for (const path of await featureFiles(folder)) await utimes(path, 1000, 1000);
	const cache = new FeatureCache({ key: "full" }, { folder, bytes: 9_000 });
	for (const key of ["a", "b", "c"]) await cache.add(new Map([[key, ones(1000)]]));
	await cache.flush();
	t.deepEqual([...(await load(folder, ["a", "b", "c"], { key: "full" })).keys()], ["a", "b"]);
});

test("caches of several processes keep to one limit together, and don't remove each other's files", async (t) => {
	const folder = await newFolder();
	const bytes = 160_000;
	const caches = ["a", "b"].map((name) => ({ name, cache: new FeatureCache(KIND, { folder, bytes }) }));
	for (let i = 0; i < 40; i++) {
		for (const { name, cache } of caches) {
			await cache.add(new Map([[`${name}${i}`, ones(1000)]]));
			await cache.flush();
		}
	}
	const sizes = await Promise.all((await featureFiles(folder)).map(async (path) => (await stat(path)).size));
	const used = sizes.reduce((sum, size) => sum + size, 0);
	// Each process may miss what the other one has written since it looked.
	t.true(used > 0.9 * bytes && used < 1.2 * bytes, `${used} bytes`);
	t.deepEqual([...(await load(folder, ["a0", "b0", "a15", "b15"])).keys()], ["a0", "b0", "a15", "b15"]);
});

test("other files and folders in the cache's folder don't prevent it from keeping features", async (t) => {
	const folder = await newFolder();
	await writeFile(join(folder, ".DS_Store"), "");
	await mkdir(join(folder, "kind", "folder"), { recursive: true });
	// Older than any feature file, and larger than the limit.
	await utimes(join(folder, "kind", "folder"), 1, 1);
	await addToCache(folder, { a: ones(8) }, 40);
	t.deepEqual((await load(folder, ["a"])).get("a"), ones(8));
});

test("adding waits for the disk if too many bytes are pending", async (t) => {
	const folder = await newFolder();
	const cache = new FeatureCache(KIND, { folder, bytes: PLENTY });
	await cache.add(new Map([["large", ones(40 << 20)]]));
	t.is((await featureFiles(folder)).length, 1);
	t.is((await load(folder, ["large"])).get("large")?.length, 40 << 20);
});

test("if the folder can't be written, features are not kept, and nothing fails", async (t) => {
	const file = join(await newFolder(), "file");
	await writeFile(file, "");
	await t.notThrowsAsync(addToCache(file, { a: ones(1) }));
	t.is((await load(file, ["a"])).size, 0);
});
