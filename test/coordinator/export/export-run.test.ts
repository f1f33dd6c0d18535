import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { readInitialParameters } from "../../../coordinator/base-model/initial-parameters.ts";
import { Classifier } from "../../../coordinator/classify/classifier.ts";
import type { ClassifierSettings } from "../../../coordinator/classify/classifier-settings.ts";
import type { OpenCluster } from "../../../coordinator/cluster/cluster.ts";
import { openEmbeddedCluster } from "../../../coordinator/cluster/embedded-cluster.ts";
import { exportClassifier } from "../../../coordinator/export/export-classifier.ts";
import type { ExportFormat } from "../../../coordinator/export/export-formats.ts";
import { exportRun } from "../../../coordinator/export/export-run.ts";
import { openModel } from "../../../shared/model/open-model.ts";
import { baseShapes } from "../../../shared/model/parameter-layout.ts";
import { plainTail } from "../../../shared/model/tail-spec.ts";
import { PAD_ID } from "../../../shared/sequences/effective-sequence.ts";
import { LONG_TEXTS } from "../../../shared/settings/config.ts";
import { resolveConfig } from "../../../shared/settings/resolve-config.ts";
import { buildClassifierGraph } from "../../../worker/engine/onnx/classifier-graph.ts";
import { startWorker } from "../../../worker/run/lifecycle.ts";
import { gpt2, tokenize } from "../../gpt2-tokenizer.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

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
	const run = await temporaryFolder(t);
	await cp(join(folder, "model"), join(run, "model"), { recursive: true });
	await writeFile(join(run, "model", "tailtune.json"), JSON.stringify({ ...READS, ...settings }));
	return run;
}

const write = (run: string, format: ExportFormat, out: string) =>
	exportRun({ run, format, out, buildOnnxClassifier: buildClassifierGraph });

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

/** Computes the logits of an exported graph for texts in batches. */
async function exportedLogits(out: string, batches: readonly Batch[]): Promise<number[][]> {
	const session = await InferenceSession.create(join(out, "model.onnx"), { intraOpNumThreads: 1 });
	const rows: number[][] = [];
	for (const { texts, layout, spare } of batches) {
		const tokens = tokenize(texts);
		const width = Math.max(...tokens.map(({ length }) => length)) + spare;
		const rectangle = (name: "ids" | "mask") => {
			const values = tokens.flatMap((text) => rowOf(text, width, layout)[name]);
			return new Tensor("int64", BigInt64Array.from(values), [tokens.length, width]);
		};
		const { logits } = await session.run({ input_ids: rectangle("ids"), attention_mask: rectangle("mask") });
		const values = Array.from(logits?.data as Float32Array);
		rows.push(...tokens.map((_, row) => values.slice(row * LABELS.length, (row + 1) * LABELS.length)));
	}
	await session.release();
	return rows;
}

function furthest(a: (readonly number[])[], b: (readonly number[])[]): number {
	return Math.max(...a.flatMap((row, i) => row.map((value, j) => Math.abs(value - (b[i]?.[j] ?? Number.NaN)))));
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
	const session = await InferenceSession.create(join(out, "model.onnx"), { intraOpNumThreads: 1 });
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
		const session = await InferenceSession.create(join(out, "model.onnx"), { intraOpNumThreads: 1 });
		const rows = (values: number[]) => new Tensor("int64", BigInt64Array.from(values, BigInt), [2, 3]);
		const input_ids = rows([11, 22, 33, 11, 22, 33]);
		await t.notThrowsAsync(session.run({ input_ids, attention_mask: rows([1, 0, 1, 0, 1, 1]) }));
		const tooLong = session.run({ input_ids, attention_mask: rows([1, 0, 1, 1, 1, 1]) });
		if (long === "cut") await t.notThrowsAsync(tooLong);
		else await t.throwsAsync(tooLong, { message: /out of data bounds/ });
		await session.release();
	}
});

test("an exported graph uses only ONNX's standard operators, and only files in its folder", async (t) => {
	const run = await finishedRun(t);
	const out = join(run, "onnx");
	await write(run, "onnx", out);
	const graph = await readFile(join(out, "model.onnx"), "latin1");
	t.false(graph.includes("com.microsoft"));
	t.true(graph.includes("model.safetensors"));
	t.false(graph.includes(run), "no path of this machine");
	t.deepEqual((await readdir(out)).sort(), ["model.onnx", "model.safetensors", "tailtune.json"]);
	t.like(JSON.parse(await readFile(join(out, "tailtune.json"), "utf8")), READS);
});

test("hf is a copy of the run's model folder", async (t) => {
	const run = await finishedRun(t);
	const out = join(run, "deep", "hf");
	await write(run, "hf", out);
	const names = (await readdir(join(run, "model"))).sort();
	t.deepEqual((await readdir(out)).sort(), names);
	for (const name of names) {
		const written = await readFile(join(out, name));
		t.true(written.equals(await readFile(join(run, "model", name))), name);
	}
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
		t.deepEqual(await readdir(run), ["model"]);
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
	t.deepEqual((await readdir(run)).sort(), ["model", "out"]);
});
