import { mkdir, readdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import fc from "fast-check";
import { FeatureCache } from "../../../worker/features/feature-cache.ts";
import { newFolder } from "../../new-folder.ts";

const KIND = { modelHash: "a" };
const PLENTY = 1e9;

/** Adds entries and waits for the disk. */
async function keep(folder: string, entries: Record<string, Float32Array>, bytes = PLENTY, kind: object = KIND) {
	const cache = new FeatureCache(kind, { folder, bytes });
	await cache.add(new Map(Object.entries(entries)));
	await cache.close();
}

/** What a new process would find. */
async function find(folder: string, keys: string[], kind: object = KIND) {
	return new FeatureCache(kind, { folder, bytes: PLENTY }).load(keys);
}

async function packs(folder: string): Promise<string[]> {
	const files = await readdir(folder, { recursive: true });
	return files.filter((name) => name.endsWith(".safetensors")).map((name) => join(folder, name));
}

const ones = (length: number) => new Float32Array(length).fill(1);

test("what is added is found by a later process bit for bit, under its own key and kind only", async (t) => {
	const entries = fc.dictionary(fc.string({ minLength: 1 }), fc.uint32Array({ minLength: 1, maxLength: 20 }), {
		minKeys: 1,
		maxKeys: 8,
	});
	await fc.assert(
		fc.asyncProperty(entries, async (all) => {
			const folder = await newFolder();
			const floats = Object.entries(all).map(([key, bits]) => [key, new Float32Array(bits.slice().buffer)] as const);
			await keep(folder, Object.fromEntries(floats));
			const found = await find(folder, [...Object.keys(all), "stranger \u0100"]);
			t.deepEqual([...found.keys()].sort(), Object.keys(all).sort());
			for (const [key, numbers] of found) t.deepEqual(new Uint32Array(numbers.buffer), all[key]);
			t.is((await find(folder, Object.keys(all), { modelHash: "b" })).size, 0);
		}),
		{ numRuns: 15 },
	);
});

test("features that aren't what was written are not found, and are written anew", async (t) => {
	const folder = await newFolder();
	const damages: ((file: Buffer) => Buffer)[] = [
		(file) => file.fill(7, file.length - 1),
		(file) => file.subarray(0, -4),
		(file) => file.fill(0xff, 0, 8),
		() => Buffer.alloc(0),
		// A bit of the name under which the features are found: only the header's checksum shows it.
		(file) => file.fill("f", file.indexOf('":{"dtype"') - 1, file.indexOf('":{"dtype"')),
	];
	for (const damage of damages) {
		await keep(folder, { a: ones(8) });
		const [pack = ""] = await packs(folder);
		await writeFile(pack, damage(await readFile(pack)));
		t.is((await find(folder, ["a"])).size, 0);
		t.deepEqual(await packs(folder), []);
		await keep(folder, { a: ones(8) });
		t.deepEqual((await find(folder, ["a"])).get("a"), ones(8));
	}
});

test("what was longest unused goes when room is needed, never what the run itself uses", async (t) => {
	const folder = await newFolder();
	for (const [age, key] of ["old", "older", "new"].entries()) {
		await keep(folder, { [key]: ones(1000) }, PLENTY, { key });
		const [pack = ""] = (await packs(folder)).slice(-1);
		t.true((await stat(pack)).size >= 4000);
		const last = (await find(folder, [key], { key })).size;
		t.is(last, 1);
		for (const path of await packs(join(folder))) {
			if ((await stat(path)).mtimeMs > Date.now() - 60_000) await utimes(path, 1000 + age, 1000 + age);
		}
	}
	await find(folder, ["old"], { key: "old" });
	await keep(folder, { more: ones(1000) }, 14_000, { key: "more" });
	const left = async (key: string) => (await find(folder, [key], { key })).size;
	t.deepEqual([await left("old"), await left("older"), await left("new"), await left("more")], [1, 0, 1, 1]);

	const cache = new FeatureCache({ key: "full" }, { folder, bytes: 9_000 });
	for (const key of ["a", "b", "c"]) await cache.add(new Map([[key, ones(1000)]]));
	await cache.close();
	t.deepEqual([...(await find(folder, ["a", "b", "c"], { key: "full" })).keys()], ["a", "b"]);
});

test("files and folders of somebody else in the cache's folder don't keep features from being kept", async (t) => {
	const folder = await newFolder();
	await writeFile(join(folder, ".DS_Store"), "");
	await mkdir(join(folder, "kind", "folder"), { recursive: true });
	// Longer unused than any feature file, and all the room that there is.
	await utimes(join(folder, "kind", "folder"), 1, 1);
	await keep(folder, { a: ones(8) }, 40);
	t.deepEqual((await find(folder, ["a"])).get("a"), ones(8));
});

test("what would take too much memory while it waits for the disk is waited for", async (t) => {
	const folder = await newFolder();
	const cache = new FeatureCache(KIND, { folder, bytes: PLENTY });
	await cache.add(new Map([["large", ones(40 << 20)]]));
	t.is((await packs(folder)).length, 1);
	t.is((await find(folder, ["large"])).get("large")?.length, 40 << 20);
});

test("a folder that can't be written costs nothing but the features", async (t) => {
	const file = join(await newFolder(), "file");
	await writeFile(file, "");
	await t.notThrowsAsync(keep(file, { a: ones(1) }));
	t.is((await find(file, ["a"])).size, 0);
});
