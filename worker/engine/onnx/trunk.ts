import { TailtuneError } from "../../../shared/errors.ts";
import type { TailSpec } from "../../../shared/messages.ts";
import type { ModelFiles } from "../../../shared/model/model-files.ts";
import { countFrozenBlocks } from "../../../shared/model/tail-spec.ts";
import { sharedRows } from "../../../shared/sequences/shared-rows.ts";
import type { EngineOptions, OpenTrunk, Trunk } from "../engine.ts";
import { findExactInt8Weights } from "./int8-weights.ts";
import { causalMask, paddingMask } from "./masks.ts";
import { ownRows, packedRows } from "./packed-rows.ts";
import { floats, OnnxSession, onnxInfo, wholeNumbers } from "./session.ts";
import { type TrunkProducts, trunkGraph } from "./trunk-graph.ts";

/**
 * Opens the frozen blocks in ONNX Runtime, which reads the model's safetensors files. If attention is causal, the
 * common beginning of texts is computed once. A text's result doesn't depend on the other texts or on the number of
 * threads. This holds for int8 products too, since each row has its own scale and sums of integers are exact. Throws
 * TailtuneError "engine" if there is no frozen block or if ONNX Runtime fails.
 */
export const openOnnxTrunk: OpenTrunk = async (model, spec, options) => {
	const products = options.trunkPrecision === "int8" ? await findExactInt8Weights(options) : "float32";
	return openTrunkWith(products, model, spec, options);
};

/** Does the same as `openOnnxTrunk`, with matrix products of the given kind. */
export async function openTrunkWith(
	products: TrunkProducts,
	model: ModelFiles,
	spec: TailSpec,
	options: EngineOptions,
): Promise<Trunk> {
	const blocks = countFrozenBlocks(spec, model.config.n_layer);
	if (blocks === 0) throw new TailtuneError("engine", `${spec.trainable} leaves no frozen block for a trunk`);
	const graph = trunkGraph(model.tensors, model.config, blocks, products);
	const session = await OnnxSession.open(graph, options, model.folder);
	const { n_embd: width, n_head: heads } = model.config;
	return {
		info: onnxInfo(options),
		async hiddenStates(sequences) {
			if (sequences.length === 0) return [];
			const { inputs, rows, rowsOf } = trunkInputs(sequences, heads, spec.causal);
			const hidden = new Float32Array(rows * width);
			await session.run(inputs, { hidden: floats(hidden, [rows, width]) });
			return rowsOf.map((own) => gather(hidden, own, width));
		},
		dispose: () => session.dispose(),
	};
}

/** Builds the inputs of `trunkGraph` for a group of texts. `rowsOf` holds the row of each token of each text. */
function trunkInputs(sequences: readonly Uint32Array[], heads: number, causal: boolean) {
	const lengths = sequences.map(({ length }) => length);
	const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
	const { rows, rowsOf } = causal ? sharedRows(sequences) : ownRows(lengths);
	const ids = new Uint32Array(rows);
	const positions = new Uint32Array(rows);
	for (const [text, own] of rowsOf.entries()) {
		for (const [at, row] of own.entries()) {
			ids[row] = sequences[text]?.[at] ?? 0;
			positions[row] = at;
		}
	}
	const inputs = {
		ids: wholeNumbers(ids, [rows]),
		positions: wholeNumbers(positions, [rows]),
		...packedRows({ rows, rowsOf }, { longest, heads }),
		mask: causal ? causalMask(longest) : paddingMask(lengths, longest),
	};
	return { inputs, rows, rowsOf };
}

/** Copies the given rows, consecutive ones together. */
function gather(hidden: Float32Array, rows: Uint32Array, width: number): Float32Array {
	const gathered = new Float32Array(rows.length * width);
	for (let at = 0, end = 0; at < rows.length; at = end) {
		const first = rows[at] as number;
		do end++;
		while (rows[end] === first + end - at);
		gathered.set(hidden.subarray(first * width, (first + end - at) * width), at * width);
	}
	return gathered;
}
