import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { readInitialParameters } from "../../../coordinator/base-model/initial-parameters.ts";
import { Classifier } from "../../../coordinator/classify/classifier.ts";
import type { ClassifierSettings } from "../../../coordinator/classify/classifier-settings.ts";
import type { OpenCluster } from "../../../coordinator/cluster/cluster.ts";
import { openEmbeddedCluster } from "../../../coordinator/cluster/embedded-cluster.ts";
import { exportClassifier } from "../../../coordinator/export/export-classifier.ts";
import type { ExportFormat, Quantization } from "../../../coordinator/export/export-formats.ts";
import { exportRun } from "../../../coordinator/export/export-run.ts";
import { writeRunResult } from "../../../coordinator/run-folder/result-files.ts";
import { openModel } from "../../../shared/model/open-model.ts";
import { baseShapes } from "../../../shared/model/parameter-layout.ts";
import { plainTail } from "../../../shared/model/tail-spec.ts";
import { PAD_ID } from "../../../shared/sequences/effective-sequence.ts";
import { LONG_TEXTS } from "../../../shared/settings/config.ts";
import { defaultConfig, resolveConfig } from "../../../shared/settings/resolve-config.ts";
import { buildClassifierGraph } from "../../../worker/engine/onnx/classifier-graph.ts";
import { startWorker } from "../../../worker/run/lifecycle.ts";
import { gpt2, tokenize } from "../../gpt2-tokenizer.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { hasBrowser, launchChromium } from "../chromium.ts";
import { sampleResult } from "../run-folder/sample-run.ts";

const LABELS = ["ham", "spam", "other"];
const READS = {
	format: 1,
	labels: LABELS,
	token: "last-real",
	causal: true,
	maxTokens: 24,
	long: "cut",
	padTo: null,
	padId: PAD_ID,
	tokenizer: gpt2.hash,
	specialTokens: "text",
};
/** Texts of one token, a few, many, and more than the limit of the tuned model. */
const TEXTS = ["Hi", "See you tomorrow at noon, then", `WIN ${"a prize now ".repeat(5)}`, "again and ".repeat(20)];

const folder = await mkdtemp(join(tmpdir(), "tailtune-export-"));

/** The demo model with every number of its tail changed, and a head with a bias. */
test.before(async () => {
	const model = await openModel(fileURLToPath(new URL("../../../coordinator/base-model/demo-model", import.meta.url)));
	const spec = plainTail("TRAINABLE_LAST_BLOCK", 3);
	const parameters = (await readInitialParameters(model, spec, 5)).map((value, i) => value + 0.1 * Math.sin(i * 1.7));
	await exportClassifier({ model, spec, parameters, labels: LABELS, tokenizer: gpt2, folder: join(folder, "model") });
});

test.after.always(() => rm(folder, { recursive: true, force: true }));

/** Makes the folder of a finished run with the given settings. */
async function finishedRun(t: ExecutionContext, settings: Partial<ClassifierSettings> = {}): Promise<string> {
	return fillRun(await temporaryFolder(t), settings);
}

async function fillRun(run: string, settings: Partial<ClassifierSettings> = {}): Promise<string> {
	await cp(join(folder, "model"), join(run, "model"), { recursive: true });
	await writeFile(join(run, "model", "tailtune.json"), JSON.stringify({ ...READS, ...settings }));
	const config = { ...defaultConfig(), data: "/home/me/my data.csv", out: run, threshold: { spam: 0.8 } };
	await writeFile(join(run, "config.json"), JSON.stringify(config));
	await writeRunResult(run, sampleResult(LABELS));
	return run;
}

const write = (run: string, format: ExportFormat, out: string, quantize?: Quantization) =>
	exportRun({ run, format, out, quantize, buildOnnxClassifier: buildClassifierGraph });

let graphs: Promise<{ readonly run: string; readonly whole: string; readonly small: string }> | undefined;

/** Exports graphs with and without quantization, once for all tests that only read them. */
function readGraphs(): NonNullable<typeof graphs> {
	graphs ??= (async () => {
		const run = await fillRun(join(folder, "run"));
		const [whole, small] = [join(folder, "whole"), join(folder, "small")];
		await write(run, "onnx", whole);
		await write(run, "onnx", small, "int8");
		return { run, whole, small };
	})();
	return graphs;
}

/** Computes the logits of our own classifier, one list per text. */
async function ownLogits(run: string): Promise<(readonly number[])[]> {
	const openCluster: OpenCluster = (of) => openEmbeddedCluster({ startWorker }, of);
	const classifier = await Classifier.open(run, await resolveConfig({ threads: 1, engine: "onnx" }), { openCluster });
	try {
		return (await classifier.classify(TEXTS.map((text) => ({ text, source: text })))).map(({ logits }) => logits);
	} finally {
		await classifier.close();
	}
}

/** Position of a text's tokens in a padded row: the column of each token, by its index. */
const LAYOUTS = {
	"pads on the right": (index: number) => index,
	"pads on the left": (index: number, length: number, width: number) => width - length + index,
	"pads in between": (index: number, length: number, width: number) =>
		2 * index < length ? index : width - length + index,
};

interface Batch {
	readonly texts: readonly string[];
	readonly layout: keyof typeof LAYOUTS;
	/** Number of columns beyond the longest text. */
	readonly spare: number;
}

/** Builds ids and mask of one row; pads have an id that no vocabulary has. */
function rowOf(text: Uint32Array, width: number, layout: Batch["layout"]) {
	const ids = Array.from({ length: width }, () => -100n);
	const mask = Array.from({ length: width }, () => 0n);
	text.forEach((token, index) => {
		const column = LAYOUTS[layout](index, text.length, width);
		ids[column] = BigInt(token);
		mask[column] = 1n;
	});
	return { ids, mask };
}

/** Builds ids and mask of a batch, [texts, width]. */
function inputsOf({ texts, layout, spare }: Batch) {
	const tokens = tokenize(texts);
	const width = Math.max(...tokens.map(({ length }) => length)) + spare;
	const valuesOf = (name: "ids" | "mask") => tokens.flatMap((text) => rowOf(text, width, layout)[name]);
	return { tokens, dims: [tokens.length, width], ids: valuesOf("ids"), mask: valuesOf("mask") };
}

/** Computes the logits of an exported graph for texts in batches. */
async function exportedLogits(
	out: string,
	batches: readonly Batch[],
	name: "model" | "model_quantized" = "model",
): Promise<number[][]> {
	const session = await InferenceSession.create(join(out, "onnx", `${name}.onnx`), { intraOpNumThreads: 1 });
	const rows: number[][] = [];
	for (const batch of batches) {
		const { tokens, dims, ids, mask } = inputsOf(batch);
		const tensor = (values: bigint[]) => new Tensor("int64", BigInt64Array.from(values), dims);
		const { logits } = await session.run({ input_ids: tensor(ids), attention_mask: tensor(mask) });
		const values = Array.from(logits?.data as Float32Array);
		rows.push(...tokens.map((_, row) => values.slice(row * LABELS.length, (row + 1) * LABELS.length)));
	}
	await session.release();
	return rows;
}

function furthest(a: (readonly number[])[], b: (readonly number[])[]): number {
	return Math.max(...a.flatMap((row, i) => row.map((value, j) => Math.abs(value - (b[i]?.[j] ?? Number.NaN)))));
}

/** The largest absolute logit. */
function largest(rows: readonly (readonly number[])[]): number {
	return Math.max(...rows.flat().map(Math.abs));
}

for (const token of ["last-real", "last", "first", "mean", "mean-real"] as const) {
	for (const causal of [true, false]) {
		test(`an exported graph gives our logits: ${token}, ${causal ? "causal" : "full"} attention`, async (t) => {
			for (const padTo of [null, 16]) {
				const run = await finishedRun(t, { token, causal, padTo });
				const out = join(run, "onnx");
				await write(run, "onnx", out);
				const own = await ownLogits(run);
				const alone = TEXTS.map((text) => ({ texts: [text], layout: "pads on the right", spare: 0 }) as const);
				const unpadded = await exportedLogits(out, alone);
				t.true(furthest(own, unpadded) < 1e-5, `alone, padded to ${padTo}`);
				for (const layout of Object.keys(LAYOUTS) as Batch["layout"][]) {
					const together = await exportedLogits(out, [{ texts: TEXTS, layout, spare: 3 }]);
					t.true(furthest(own, together) < 1e-5, `${layout}, padded to ${padTo}`);
				}
				if (token !== "first") t.true(furthest(own.slice(0, 1), own.slice(1, 2)) > 1e-3, "texts differ");
			}
		});
	}
}

test("an exported graph refuses a text without tokens", async (t) => {
	const run = await finishedRun(t);
	const out = join(run, "onnx");
	await write(run, "onnx", out);
	const session = await InferenceSession.create(join(out, "onnx", "model.onnx"), { intraOpNumThreads: 1 });
	const rows = (values: number[]) => new Tensor("int64", BigInt64Array.from(values, BigInt), [2, 3]);
	const input_ids = rows([11, 22, 33, 11, 22, 33]);
	await t.notThrowsAsync(session.run({ input_ids, attention_mask: rows([1, 1, 1, 0, 0, 1]) }));
	await t.throwsAsync(session.run({ input_ids, attention_mask: rows([1, 1, 1, 0, 0, 0]) }), {
		message: /out of data bounds/,
	});
	await session.release();
});

test("an exported graph refuses a text longer than the model's maximum, unless the run cut such texts", async (t) => {
	for (const long of LONG_TEXTS) {
		const run = await finishedRun(t, { maxTokens: 2, long });
		const out = join(run, "onnx");
		await write(run, "onnx", out);
		const session = await InferenceSession.create(join(out, "onnx", "model.onnx"), { intraOpNumThreads: 1 });
		const rows = (values: number[]) => new Tensor("int64", BigInt64Array.from(values, BigInt), [2, 3]);
		const input_ids = rows([11, 22, 33, 11, 22, 33]);
		await t.notThrowsAsync(session.run({ input_ids, attention_mask: rows([1, 0, 1, 0, 1, 1]) }));
		const tooLong = session.run({ input_ids, attention_mask: rows([1, 0, 1, 1, 1, 1]) });
		if (long === "cut") await t.notThrowsAsync(tooLong);
		else await t.throwsAsync(tooLong, { message: /out of data bounds/ });
		await session.release();
	}
});

const TOKENIZER_FILES = ["merges.txt", "tokenizer.json", "tokenizer_config.json", "vocab.json"];
const contentOf = async (...path: string[]) => JSON.parse(await readFile(join(...path), "utf8"));

test("onnx is a folder for Optimum and transformers.js; its graph uses only standard operators and files in its folder", async (t) => {
	const { run, whole, small } = await readGraphs();
	for (const [out, name, dtype] of [
		[whole, "model.onnx", "fp32"],
		[small, "model_quantized.onnx", "q8"],
	] as const) {
		const graph = await readFile(join(out, "onnx", name), "latin1");
		t.false(graph.includes("com.microsoft"));
		t.true(graph.includes(`${name}_data`));
		t.false(graph.includes(run), "no path of this machine");
		const files = ["README.md", "config.json", "onnx", "tailtune.json", ...TOKENIZER_FILES];
		t.deepEqual((await readdir(out)).sort(), files.sort());
		t.deepEqual((await readdir(join(out, "onnx"))).sort(), [name, `${name}_data`]);
		t.like(await contentOf(out, "tailtune.json"), READS);
		const { "transformers.js_config": forJavaScript, ...config } = await contentOf(out, "config.json");
		t.deepEqual(config, await contentOf(run, "model", "config.json"));
		t.deepEqual(forJavaScript, { dtype, use_external_data_format: { [name]: 1 } });
	}
});

test("a graph in 8 bits has a quarter of the size and nearly the same probabilities, with pads on either side", async (t) => {
	const { whole, small } = await readGraphs();
	const sizeOf = async (...path: string[]) => (await stat(join(...path))).size;
	const size = await sizeOf(small, "onnx", "model_quantized.onnx_data");
	const share = size / (await sizeOf(whole, "onnx", "model.onnx_data"));
	t.true(share < 0.27, `${share}`);
	const alone = TEXTS.map((text) => ({ texts: [text], layout: "pads on the right", spare: 0 }) as const);
	const exact = await exportedLogits(whole, alone);
	const near = await exportedLogits(small, alone, "model_quantized");
	t.true(furthest(exact, near) < 0.1 * largest(exact));
	t.true(furthest(exact, near) > 1e-4, "computed in 8 bits");
	for (const layout of Object.keys(LAYOUTS) as Batch["layout"][]) {
		const together = await exportedLogits(small, [{ texts: TEXTS, layout, spare: 3 }], "model_quantized");
		t.true(furthest(near, together) < 1e-2 * largest(exact), layout);
	}
});

/** Runs in the page: computes the logits of a graph with onnxruntime-web. */
const RUN_IN_PAGE = `async ({ name, dims, ids, mask }) => {
	const ort = await import("/ort/ort.wasm.min.mjs");
	ort.env.wasm.numThreads = 1;
	const externalData = [{ path: name + "_data", data: "/onnx/" + name + "_data" }];
	const session = await ort.InferenceSession.create("/onnx/" + name, { externalData });
	const tensor = (values) => new ort.Tensor("int64", BigInt64Array.from(values, BigInt), dims);
	const { logits } = await session.run({ input_ids: tensor(ids), attention_mask: tensor(mask) });
	return [...logits.data];
}`;

test("an exported graph gives the same logits with onnxruntime-web in a browser", async (t) => {
	const browser = await launchChromium();
	if (!hasBrowser(t, browser)) return;
	try {
		const { whole, small } = await readGraphs();
		const libraries = dirname(createRequire(import.meta.url).resolve("onnxruntime-web"));
		const page = await browser.newPage();
		const batch = { texts: TEXTS, layout: "pads on the left", spare: 0 } as const;
		const { dims, ids, mask } = inputsOf(batch);
		const inputs = { dims, ids: ids.map(String), mask: mask.map(String) };
		for (const [out, name, tolerance] of [
			[whole, "model", 1e-5],
			[small, "model_quantized", 1e-2],
		] as const) {
			await page.route("http://localhost/**", (route) => {
				const [, folder, file = ""] = new URL(route.request().url()).pathname.split("/");
				if (folder === "") return route.fulfill({ contentType: "text/html", body: "" });
				return route.fulfill({ path: join(folder === "ort" ? libraries : join(out, "onnx"), file) });
			});
			await page.goto("http://localhost/");
			const script = `(${RUN_IN_PAGE})(${JSON.stringify({ name: `${name}.onnx`, ...inputs })})`;
			const values = (await page.evaluate(script)) as number[];
			const rows = TEXTS.map((_, row) => values.slice(row * LABELS.length, (row + 1) * LABELS.length));
			const inNode = await exportedLogits(out, [batch], name);
			t.true(furthest(inNode, rows) < tolerance * largest(inNode), name);
		}
	} finally {
		await browser.close();
	}
});

test("hf is a copy of the run's model folder with a model card", async (t) => {
	const run = await finishedRun(t);
	const out = join(run, "deep", "hf");
	await write(run, "hf", out);
	const names = (await readdir(join(run, "model"))).sort();
	t.deepEqual((await readdir(out)).sort(), [...names, "README.md"].sort());
	for (const name of names) {
		const written = await readFile(join(out, name));
		t.true(written.equals(await readFile(join(run, "model", name))), name);
	}
	await t.throwsAsync(write(run, "hf", join(run, "other"), "int8"), {
		code: "usage",
		message: "--quantize int8: found --format hf, expected onnx",
	});
});

test("safetensors is one file with all weights under GPT-2's names, and one with the settings", async (t) => {
	const run = await finishedRun(t, { token: "mean", causal: false, padTo: 16 });
	const out = join(run, "file");
	await write(run, "safetensors", out);
	t.deepEqual((await readdir(out)).sort(), ["model.safetensors", "tailtune.json"]);
	const model = await openModel(join(run, "model"));
	const { shape, ...settings } = JSON.parse(await readFile(join(out, "tailtune.json"), "utf8"));
	t.like(settings, { ...READS, token: "mean", causal: false, padTo: 16 });
	t.deepEqual(shape, { model_type: "gpt2", ...model.config });
	await writeFile(join(out, "config.json"), JSON.stringify(shape));
	const written = await openModel(out);
	for (const name of [...baseShapes(model.config).map(([name]) => name), "score.weight"]) {
		t.deepEqual(await written.read(name), await model.read(name), name);
	}
	t.regex(await readFile(join(out, "model.safetensors"), "latin1"), /"h\.0\.attn\.c_attn\.weight"/);
});

test("hf is refused for a model that transformers would read differently", async (t) => {
	for (const settings of [{ token: "mean" }, { causal: false }, { token: "last", padTo: 16 }] as const) {
		const run = await finishedRun(t, settings);
		await t.throwsAsync(write(run, "hf", join(run, "hf")), {
			code: "usage",
			message: /^--format hf: this model reads .*, but transformers reads the last real token .* use --format onnx$/,
		});
		t.false((await readdir(run)).includes("hf"));
	}
	const alone = await finishedRun(t, { token: "last" });
	await t.notThrowsAsync(write(alone, "hf", join(alone, "hf")));
});

test("a folder with files is refused and left unchanged, an empty one is used", async (t) => {
	const run = await finishedRun(t);
	const out = join(run, "out");
	await mkdir(out);
	await write(run, "safetensors", out);
	await t.throwsAsync(write(run, "onnx", out), {
		code: "usage",
		message: /^--out .*out: the folder holds model\.safetensors already; expected a new or empty one$/,
	});
	t.deepEqual((await readdir(out)).sort(), ["model.safetensors", "tailtune.json"]);
	await t.throwsAsync(write(run, "onnx", join(out, "tailtune.json")), { code: "usage", message: /found a file/ });
	await t.throwsAsync(write(join(run, "none"), "hf", join(run, "new")), {
		code: "not-found",
		message: /no finished run/,
	});
	t.deepEqual((await readdir(run)).sort(), ["config.json", "model", "out", "result.json"]);
});
