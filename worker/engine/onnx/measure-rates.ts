import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Tensor } from "onnxruntime-node";
import type { ModelFiles } from "../../../shared/model/model-files.ts";
import { openModel } from "../../../shared/model/open-model.ts";
import { GPT2_SIZES, writeRandomModel } from "../../../shared/model/random-model.ts";
import { plainTail } from "../../../shared/model/tail-spec.ts";
import { TRUNK_PRECISIONS, type TrunkPrecision } from "../../../shared/model/trunk-precision.ts";
import type { ProductRates } from "../../../shared/worker-port/engine-report.ts";
import { MEASURE_MS } from "../../deadlines.ts";
import type { EngineOptions } from "../engine.ts";
import { GraphBuilder, storedTensor } from "./graph-builder.ts";
import { int8Product } from "./int8-linear.ts";
import { findExactInt8Weights } from "./int8-weights.ts";
import { floats, OnnxSession } from "./session.ts";
import { openTrunkWith } from "./trunk.ts";
import type { TrunkProducts } from "./trunk-graph.ts";

// Two blocks with the width of GPT-2 small, and a group of texts of the size that the plan makes: 1,024 tokens.
const MODEL = { ...GPT2_SIZES.small, n_layer: 2, vocab_size: 256 };
// No two texts have a common beginning, which would be computed only once.
const TEXTS = Array.from({ length: 16 }, (_, text) => Uint32Array.from({ length: 64 }, (_, i) => text + i));
const ROWS = 1024;
const LAYERS = ["attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"] as const;
const BLOCK_FLOP = 2 * ROWS * 12 * MODEL.n_embd ** 2;
/** The fewest measured runs. */
const MIN_RUNS = 3;

/**
 * Measures the speed of ONNX Runtime on this machine, in a block's matrix products alone and in whole blocks: for each
 * precision with 1, 2, 4... threads up to the given number. Takes a few seconds.
 */
export async function measureOnnxRates(threads: number): Promise<ProductRates[]> {
	const folder = await mkdtemp(join(tmpdir(), "tailtune-doctor-"));
	try {
		await writeRandomModel(join(folder, "model"), MODEL, 1);
		const model = await openModel(join(folder, "model"));
		const rates: ProductRates[] = [];
		for (const precision of TRUNK_PRECISIONS) {
			for (const count of threadCounts(threads)) rates.push(await measure(model, precision, { threads: count }));
		}
		return rates;
	} finally {
		await rm(folder, { recursive: true });
	}
}

/** Returns 1, 2, 4... and the largest number itself. */
export function threadCounts(most: number): number[] {
	const doubled = Array.from({ length: Math.ceil(Math.log2(most)) }, (_, i) => 2 ** i);
	return [...doubled, most];
}

async function measure(model: ModelFiles, precision: TrunkPrecision, options: EngineOptions): Promise<ProductRates> {
	const products = precision === "int8" ? await findExactInt8Weights(options) : "float32";
	// One session after the other: threads of an idle session would take cores from another session.
	const session = await OnnxSession.open(productsGraph(model, products), options, model.folder);
	const productsMs = await medianMs(productsRun(session, products)).finally(() => session.dispose());
	const spec = plainTail("TRAINABLE_HEAD", 2);
	const trunk = await openTrunkWith(products, model, spec, options);
	const trunkMs = await medianMs(() => trunk.hiddenStates(TEXTS)).finally(() => trunk.dispose());
	const rate = (blocks: number, ms: number) => (blocks * BLOCK_FLOP) / ms / 1e6;
	const whole = { productsGflops: rate(1, productsMs), trunkGflops: rate(MODEL.n_layer, trunkMs) };
	return { precision, threads: options.threads, ...whole };
}

/** Builds a graph of the four products of a block, independent of each other, from `left768` and `left3072`. */
function productsGraph({ tensors }: ModelFiles, products: TrunkProducts): Buffer {
	const graph = new GraphBuilder("products");
	const type = products === "float32" ? "float32" : "uint8";
	const widths = [MODEL.n_embd, 4 * MODEL.n_embd];
	const left = new Map(widths.map((width) => [width, graph.input(`left${width}`, type, [ROWS, width])]));
	for (const name of LAYERS) {
		const stored = storedTensor(tensors, `h.0.${name}.weight`);
		const [width = 0, columns = 0] = stored.shape;
		const [rows, matrix] = [left.get(width) ?? "", graph.stored(name, stored)];
		const bias = () => graph.stored(`${name}.bias`, storedTensor(tensors, `h.0.${name}.bias`));
		const product =
			products === "float32"
				? graph.op("Gemm", [rows, matrix, bias()])
				: int8Product(graph, rows, 128, { matrix, stored: products });
		graph.output(`${name}.product`, product, "float32", [ROWS, columns]);
	}
	graph.skipResultCopies(graph.float(0));
	return graph.build();
}

function productsRun(session: OnnxSession, products: TrunkProducts): () => Promise<unknown> {
	const { n_embd: width } = MODEL;
	const inputOf = (columns: number) => {
		const [size, dims] = [ROWS * columns, [ROWS, columns]];
		if (products === "float32")
			return floats(
				new Float32Array(size).map((_, i) => (i % 17) / 8 - 1),
				dims,
			);
		return new Tensor(
			"uint8",
			new Uint8Array(size).map((_, i) => i % 251),
			dims,
		);
	};
	const inputs = { [`left${width}`]: inputOf(width), [`left${4 * width}`]: inputOf(4 * width) };
	const columns = { "attn.c_attn": 3 * width, "attn.c_proj": width, "mlp.c_fc": 4 * width, "mlp.c_proj": width };
	const results = LAYERS.map((name) => {
		const dims = [ROWS, columns[name]];
		return [`${name}.product`, floats(new Float32Array(ROWS * columns[name]), dims)] as const;
	});
	return () => session.run(inputs, Object.fromEntries(results));
}

/** Measures the median time of `work` in milliseconds, after a first run. */
async function medianMs(work: () => Promise<unknown>): Promise<number> {
	await work();
	const times: number[] = [];
	const start = performance.now();
	while (times.length < MIN_RUNS || performance.now() - start < MEASURE_MS) {
		const before = performance.now();
		await work();
		times.push(performance.now() - before);
	}
	return times.sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN;
}
