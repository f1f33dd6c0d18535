import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import fc from "fast-check";
import type { TailSpec } from "../../../../shared/messages.ts";
import type { Gpt2Config } from "../../../../shared/model/gpt2-config.ts";
import { openModel } from "../../../../shared/model/open-model.ts";
import { parameterLayout } from "../../../../shared/model/parameter-layout.ts";
import { writeRandomModel } from "../../../../shared/model/random-model.ts";
import { gradientForm, gradientLength } from "../../../../shared/updates/gradient-form.ts";
import type { Tail } from "../../../../worker/engine/engine.ts";
import { openOnnxTail } from "../../../../worker/engine/onnx/tail.ts";
import { openTfjsTail } from "../../../../worker/engine/tfjs/tail.ts";
import { allocateGradient, multiplyOut } from "../../../multiply-out.ts";
import { temporaryFolder } from "../../../temporary-folder.ts";
import { oneHot } from "../one-hot.ts";

const DEFAULT: TailSpec = {
	trainable: "TRAINABLE_LAST_BLOCK",
	classes: 3,
	causal: true,
	loraRank: 40,
	loraScale: 0.5,
	loss: null,
};

// So wide that the kernels' blocks are partly full and partly whole.
const CONFIG: Gpt2Config = {
	n_layer: 3,
	n_embd: 288,
	n_head: 3,
	n_positions: 90,
	vocab_size: 11,
	layer_norm_epsilon: 1e-5,
};

/** An arbitrary number between -1 and 1 for each index. */
const numberAt = (i: number, seed: number) => Math.sin(1 + i * 12.9898 + seed * 78.233);

/** A text of `rows` rows. The head reads the last one, or with `mean` all from the second on. */
function input(rows: number, mean: boolean, seed: number) {
	const hidden = Float32Array.from({ length: rows * CONFIG.n_embd }, (_, i) => numberAt(i, seed));
	const tokens = Uint32Array.from({ length: rows }, (_, i) => (i * i + seed) % CONFIG.vocab_size);
	const poolFrom = mean ? Math.min(1, rows - 1) : rows - 1;
	return {
		hidden,
		tokens,
		poolFrom,
		poolCount: rows - poolFrom,
		targets: oneHot(seed % DEFAULT.classes, DEFAULT.classes),
	};
}

async function openTails(t: ExecutionContext, spec: TailSpec, threads: readonly number[], config = CONFIG) {
	const folder = join(await temporaryFolder(t), "model");
	await writeRandomModel(folder, config, 7);
	const model = await openModel(folder);
	const layout = parameterLayout(spec, config);
	const parameters = Float32Array.from({ length: layout.size }, (_, i) => 0.1 * numberAt(i, 1));
	const tails = await Promise.all(threads.map((n) => openOnnxTail(model, spec, { threads: n })));
	for (const tail of tails) {
		await tail.load(parameters);
		t.teardown(() => tail.dispose());
	}
	const form = gradientForm(spec, config, 0);
	return { tails, layout, form, factored: gradientForm(spec, config, 1), model, parameters };
}

const texts = fc.array(fc.tuple(fc.integer({ min: 1, max: 90 }), fc.boolean(), fc.nat(1000)), {
	minLength: 1,
	maxLength: 9,
});

for (const trainable of [
	"TRAINABLE_HEAD",
	"TRAINABLE_LAST_BLOCK",
	"TRAINABLE_LAST_TWO_BLOCKS",
	"TRAINABLE_ALL",
	"TRAINABLE_LORA",
] as const) {
	for (const [causal, activation_function] of [
		[true, "gelu"],
		[false, "silu"],
	] as const) {
		test(`a batch is the mean of its texts and has the same bits on 1, 2 and 5 threads: ${trainable}, causal ${causal}`, async (t) => {
			const config = { ...CONFIG, activation_function, n_inner: 1101 };
			const { tails, layout, form } = await openTails(t, { ...DEFAULT, trainable, causal }, [1, 2, 5], config);
			const [first] = tails;
			const compute = async (tail: (typeof tails)[number], batch: ReturnType<typeof input>[]) => {
				const found = allocateGradient(form, batch);
				return { logits: await tail.gradient(batch, form, found.gradient), gradient: multiplyOut(form, found) };
			};
			const property = fc.asyncProperty(texts, async (drawn) => {
				const batch = drawn.map((one) => input(...one));
				const results = await Promise.all(tails.map((tail) => compute(tail, batch)));
				const whole = results[0];
				if (!first || !whole) throw new Error("no tail");
				for (const { logits, gradient } of results) {
					t.is(largestGap(logits, whole.logits), 0);
					t.is(largestGap(gradient, whole.gradient), 0);
				}
				const sum = new Float64Array(layout.trainedSize);
				for (const [i, one] of batch.entries()) {
					const alone = await compute(first, [one]);
					for (let at = 0; at < sum.length; at++)
						sum[at] = (sum[at] ?? 0) + (alone.gradient[at] ?? Number.NaN) / batch.length;
					const logits = whole.logits.subarray(i * DEFAULT.classes, (i + 1) * DEFAULT.classes);
					t.true(largestGap(logits, alone.logits) < 1e-6 * Math.max(1, ...logits.map(Math.abs)));
				}
				for (const { name, offset, size } of layout.entries) {
					const [own, mean] = [whole.gradient.subarray(offset, offset + size), sum.subarray(offset, offset + size)];
					const largest = own.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
					t.true(largestGap(own, mean) < 1e-4 * largest, name);
				}
			});
			await fc.assert(property, { numRuns: 3, seed: 1 });
		});
	}
}

// Enough columns for ONNX Runtime to split among threads, too few for it to keep the order of sums.
const MANY = { config: { ...CONFIG, n_layer: 1, n_embd: 576, n_head: 18 }, classes: 20, loraRank: 20 };

for (const trainable of ["TRAINABLE_HEAD", "TRAINABLE_LAST_BLOCK", "TRAINABLE_LORA", "TRAINABLE_LORA_ONLY"] as const) {
	test(`many classes, heads and ranks have the same bits on 1, 2 and 5 threads: ${trainable}`, async (t) => {
		const { config, ...sizes } = MANY;
		const { tails, form, factored } = await openTails(t, { ...DEFAULT, ...sizes, trainable }, [1, 2, 5], config);
		for (const rows of [[17], Array(9).fill(3), [90, 40]]) {
			const batch = rows.map((count, i) => {
				const hidden = Float32Array.from({ length: count * config.n_embd }, (_, at) => numberAt(at, i));
				return { ...input(count, false, i), hidden, targets: oneHot(i, sizes.classes) };
			});
			const found = await Promise.all(
				tails.map(async (tail) => {
					const [gradient, factors] = [form, factored].map(
						(one) => new Float32Array(gradientLength(one, batch.length)),
					) as [Float32Array, Float32Array];
					const logits = await tail.gradient(batch, form, gradient);
					t.is(largestGap(await tail.gradient(batch, factored, factors), logits), 0);
					return { logits, gradient, factors };
				}),
			);
			for (const { logits, gradient, factors } of found) {
				t.is(largestGap(logits, found[0]?.logits ?? []), 0);
				t.is(largestGap(gradient, found[0]?.gradient ?? []), 0);
				t.is(largestGap(factors, found[0]?.factors ?? []), 0);
			}
		}
	});
}

for (const trainable of ["TRAINABLE_HEAD", "TRAINABLE_LAST_BLOCK", "TRAINABLE_LAST_TWO_BLOCKS"] as const) {
	test(`factors multiplied out are the dense gradient, and have the same bits on 1, 2 and 5 threads: ${trainable}`, async (t) => {
		const spec = { ...DEFAULT, trainable };
		const { tails, layout, form, factored } = await openTails(t, spec, [1, 2, 5]);
		t.true(factored.factors.length > 0);
		for (const rows of [[1], [5, 90, 9], Array(9).fill(20)]) {
			const batch = rows.map((count, i) => input(count, false, i));
			const dense = new Float32Array(form.trainedSize);
			const logits = await tails[0]?.gradient(batch, form, dense);
			const found = [];
			for (const tail of tails) {
				const factors = new Float32Array(gradientLength(factored, batch.length)).fill(Number.NaN);
				t.deepEqual(await tail.gradient(batch, factored, factors), logits);
				found.push(factors);
				t.is(largestGap(factors, found[0] ?? []), 0);
			}
			const product = multiplyOut(factored, { gradient: found[0] ?? dense, texts: batch.length });
			for (const { name, offset, size } of layout.entries) {
				const [own, wanted] = [product, dense].map((all) => all.subarray(offset, offset + size));
				const largest = wanted?.reduce((most, value) => Math.max(most, Math.abs(value)), 0) ?? 0;
				t.true(largestGap(own ?? [], wanted ?? []) <= 1e-6 * largest, name);
			}
		}
	});
}

test("factors of texts of which the head reads several rows, and an array of another length, are refused", async (t) => {
	const { tails, form, factored } = await openTails(t, DEFAULT, [1]);
	const gradient = new Float32Array(gradientLength(factored, 1));
	await t.throwsAsync(tails[0]?.gradient([input(5, true, 1)], factored, gradient) as Promise<unknown>, {
		code: "engine",
		message: "gradient as factors: found a text of which the head reads 4 rows, expected 1",
	});
	await t.throwsAsync(tails[0]?.gradient([input(5, false, 1)], form, gradient) as Promise<unknown>, {
		code: "engine",
		message: `gradient: found an array of ${gradient.length} numbers, expected ${form.trainedSize}`,
	});
});

for (const mean of [false, true]) {
	test(`a single block on token embeddings has the gradient of TensorFlow.js's autodiff, the head reading ${mean ? "many rows" : "one row"}`, async (t) => {
		const spec: TailSpec = { ...DEFAULT, trainable: "TRAINABLE_ALL" };
		const { tails, layout, form, model, parameters } = await openTails(t, spec, [1], { ...CONFIG, n_layer: 1 });
		const other = await openTfjsTail(model, spec, { threads: 1, backend: "cpu" });
		t.teardown(() => other.dispose());
		await other.load(parameters);
		const batch = [input(5, mean, 1), input(9, mean, 2)];
		const gradientOf = async (tail: Tail | undefined) => {
			const found = allocateGradient(form, batch);
			await tail?.gradient(batch, form, found.gradient);
			return multiplyOut(form, found);
		};
		const [own, expected] = [await gradientOf(tails[0]), await gradientOf(other)];
		for (const { name, offset, size } of layout.entries) {
			const wanted = expected.subarray(offset, offset + size);
			const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
			t.true(largestGap(own.subarray(offset, offset + size), wanted) < 1e-5 * largest, name);
		}
	});
}

test("logits without and with gradient are equal, and use the parameters loaded last", async (t) => {
	const { tails, layout, form, parameters } = await openTails(t, DEFAULT, [1]);
	const batch = [input(5, false, 1), input(9, false, 2)];
	const before = await tails[0]?.logits(batch);
	t.deepEqual(await tails[0]?.gradient(batch, form, new Float32Array(layout.trainedSize)), before);
	await tails[0]?.load(new Float32Array(parameters.length));
	t.deepEqual(await tails[0]?.logits(batch), new Float32Array(2 * DEFAULT.classes));
});

test.serial("a gradient is written to its array without another copy", async (t) => {
	const { tails, layout, form } = await openTails(t, DEFAULT, [1]);
	const gradient = new Float32Array(layout.trainedSize);
	const batch = [input(5, false, 1)];
	await tails[0]?.gradient(batch, form, gradient);
	const before = process.memoryUsage().arrayBuffers;
	await tails[0]?.gradient(batch, form, gradient);
	t.true(process.memoryUsage().arrayBuffers - before < gradient.byteLength / 2);
});

test("rows after the pooled one count only without a causal mask", async (t) => {
	for (const causal of [true, false]) {
		const { tails } = await openTails(t, { ...DEFAULT, causal }, [1]);
		const long = { ...input(9, false, 4), poolFrom: 3 };
		const short = { ...long, hidden: long.hidden.slice(0, 4 * CONFIG.n_embd) };
		const [whole, cut] = [await tails[0]?.logits([long]), await tails[0]?.logits([short])];
		if (causal) t.deepEqual(whole, cut);
		else t.notDeepEqual(whole, cut);
	}
});

function largestGap(a: ArrayLike<number>, b: ArrayLike<number>): number {
	let gap = a.length === b.length ? 0 : Number.NaN;
	for (let i = 0; i < a.length; i++) gap = Math.max(gap, Math.abs((a[i] ?? Number.NaN) - (b[i] ?? Number.NaN)));
	return gap;
}

test("a tail whose graph couldn't be opened can be disposed of, so that its worker continues", async (t) => {
	const folder = join(await temporaryFolder(t), "model");
	await writeRandomModel(folder, CONFIG, 7);
	// This system's ONNX Runtime doesn't have the provider.
	const backend = process.platform === "win32" ? "coreml" : "dml";
	const tail = await openOnnxTail(await openModel(folder), DEFAULT, { threads: 1, backend });
	await tail.load(new Float32Array(parameterLayout(DEFAULT, CONFIG).size));
	await t.throwsAsync(tail.logits([input(4, false, 1)]), { code: "engine" });
	await t.notThrowsAsync(tail.dispose());
});
