import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import fc from "fast-check";
import { ByteBudget } from "../../../worker/features/byte-budget.ts";
import { FeatureStore, featureKey } from "../../../worker/features/feature-store.ts";

const keys = fc.uint32Array({ minLength: 1, maxLength: 6, max: 3 });
const entries = fc.array(fc.tuple(keys, fc.uint32Array({ maxLength: 40 })), { maxLength: 30 });

/** Any bits, NaNs with a payload included. */
function toFloats(bits: Uint32Array): Float32Array {
	return new Float32Array(bits.slice().buffer);
}

function keyOf(...numbers: number[]): string {
	return featureKey(Uint32Array.from(numbers));
}

test("features come back bit for bit with any budget, and memory stays within the budget", (t) => {
	const property = fc.property(entries, fc.nat(1200), (all, budgetBytes) => {
		const store = new FeatureStore(new ByteBudget(budgetBytes));
		const expected = new Map<string, Uint32Array>();
		try {
			for (const [key, bits] of all) {
				if (!expected.has(key.join())) expected.set(key.join(), bits);
				store.put(featureKey(key), toFloats(bits));
			}
			for (const [key] of all) {
				const found = store.get(featureKey(key.slice()));
				t.deepEqual(new Uint32Array(found?.slice().buffer ?? []), expected.get(key.join()));
			}
			const { memoryBytes, fileBytes, entries: count } = store.stats;
			const putBytes = [...expected.values()].reduce((sum, bits) => sum + bits.byteLength, 0);
			t.true(memoryBytes <= budgetBytes);
			t.is(memoryBytes + fileBytes, putBytes);
			t.is(count, expected.size);
			if (putBytes <= budgetBytes) t.is(fileBytes, 0);
		} finally {
			store.close();
		}
	});
	t.notThrows(() => fc.assert(property, { seed: 7, numRuns: 100 }));
});

test("keys that were not put return undefined, even if they are similar", (t) => {
	const store = new FeatureStore(new ByteBudget(100));
	store.put(keyOf(1, 2), Float32Array.of(5));
	for (const key of [[1], [2], [2, 1], [1, 2, 0], [258], [1, 2, 1, 2], []]) {
		t.is(store.get(keyOf(...key)), undefined);
	}
	t.deepEqual(store.get(featureKey(Uint32Array.of(9, 1, 2).subarray(1))), Float32Array.of(5));
});

test("the spill file is created when needed, and its name is removed at once", (t) => {
	const folder = mkdtempSync(join(tmpdir(), "feature-store-"));
	try {
		const store = new FeatureStore(new ByteBudget(4), folder);
		store.put(keyOf(1), Float32Array.of(1));
		t.is(store.stats.fileBytes, 0);
		store.put(keyOf(2), Float32Array.of(2));
		t.is(store.stats.fileBytes, 4);
		if (process.platform !== "win32") t.deepEqual(readdirSync(folder), []);
		t.deepEqual(store.get(keyOf(2)), Float32Array.of(2));
		store.close();
		t.false(readdirSync(folder).length > 0);
	} finally {
		rmSync(folder, { recursive: true });
	}
});

test("stores share a budget, and closing one frees its memory", (t) => {
	const budget = new ByteBudget(8);
	const [one, two] = [new FeatureStore(budget), new FeatureStore(budget)];
	one.put(keyOf(1), new Float32Array(2));
	two.put(keyOf(1), new Float32Array(2));
	t.deepEqual(two.stats, { entries: 1, memoryBytes: 0, fileBytes: 8 });
	one.close();
	two.put(keyOf(2), new Float32Array(2));
	t.deepEqual(two.stats, { entries: 2, memoryBytes: 8, fileBytes: 8 });
	two.close();
});

test("if the disk is full, the error is one line with code disk, and earlier features stay", (t) => {
	const folder = join(tmpdir(), "there-is-no-such-folder");
	t.false(existsSync(folder));
	const store = new FeatureStore(new ByteBudget(4), folder);
	store.put(keyOf(1), Float32Array.of(1));
	const error = t.throws(() => store.put(keyOf(2), Float32Array.of(2)), { code: "disk" });
	t.regex(error?.message ?? "", /^features can't be written to .*there-is-no-such-folder: ENOENT at 4 more bytes; .*$/);
	t.is(store.get(keyOf(2)), undefined);
	t.deepEqual(store.get(keyOf(1)), Float32Array.of(1));
});
