import type { Activation } from "../../../shared/model/activation.ts";
import type { Gpt2Config } from "../../../shared/model/gpt2-config.ts";
import type { StoredTensor } from "../../../shared/model/model-files.ts";
import { activationOf, attentionScale } from "../../../shared/model/variant.ts";
import { addBiasAndActivation } from "./activation.ts";
import { GraphBuilder, storedTensor, type Value } from "./graph-builder.ts";
import { type Int8Weights, int8Linear } from "./int8-linear.ts";
import { type AttentionIndices, attentionIndices, declareSlots } from "./packed-rows.ts";

/** How the blocks' matrix products are computed: in fp32, or in int8 with weights of this type. */
export type TrunkProducts = "float32" | Int8Weights;

/** Returns a stored weight, by name, as a tensor of the graph. */
type Weight = (name: string) => Value;

/**
 * Builds the ONNX graph of the embeddings and the first `blocks` blocks of a GPT-2. It reads the weights from the
 * model's files.
 *
 * Rows are the tokens of all texts without padding; tokens of a common beginning of texts have one row. All operations
 * except attention work on these rows.
 *
 * Inputs: `ids`, `positions` int64 [rows]; those of `attentionIndices`. Output: `hidden` [rows, width].
 */
export function trunkGraph(
	tensors: ReadonlyMap<string, StoredTensor>,
	config: Gpt2Config,
	blocks: number,
	products: TrunkProducts = "float32",
): Buffer {
	const graph = new GraphBuilder("trunk");
	const weight: Weight = (name) => graph.stored(name, storedTensor(tensors, name));
	const ids = graph.input("ids", "int64", ["rows"]);
	const positions = graph.input("positions", "int64", ["rows"]);
	const indices = attentionIndices(graph, config.n_head, declareSlots(graph));
	const embedded = [
		graph.op("Gather", [weight("wte.weight"), ids]),
		graph.op("Gather", [weight("wpe.weight"), positions]),
	];
	let rows = graph.op("Add", embedded);
	for (let i = 0; i < blocks; i++) {
		const own: Weight = (name) => weight(`h.${i}.${name}`);
		rows = addBlock({ graph, config, weight: own, products, indices, block: i }, rows);
	}
	graph.output("hidden", rows, "float32", ["rows", config.n_embd]);
	return graph.build();
}

/** The linear layers of a block, by name. */
interface Layers {
	/** Multiplies rows by the weight. */
	product(name: string, rows: Value): Value;
	/** Multiplies rows by the weight and adds the bias. */
	linear(name: string, rows: Value): Value;
}

function float32Layers(graph: GraphBuilder, weight: Weight): Layers {
	return {
		product: (name, rows) => graph.op("MatMul", [rows, weight(`${name}.weight`)]),
		linear: (name, rows) => graph.op("Gemm", [rows, weight(`${name}.weight`), weight(`${name}.bias`)]),
	};
}

function int8Layers(graph: GraphBuilder, weight: Weight, stored: Int8Weights, activation: Activation): Layers {
	const product = (name: string, rows: Value) => {
		const after = name === "mlp.c_proj" ? activation : undefined;
		return int8Linear(graph, rows, { matrix: weight(`${name}.weight`), stored, after });
	};
	return { product, linear: (name, rows) => graph.op("Add", [product(name, rows), weight(`${name}.bias`)]) };
}

/** A block being added to a graph. */
interface BlockContext {
	readonly graph: GraphBuilder;
	readonly config: Gpt2Config;
	/** Number of the block, from 0. */
	readonly block: number;
	readonly weight: Weight;
	readonly products: TrunkProducts;
	readonly indices: AttentionIndices;
}

function addBlock(context: BlockContext, rows: Value): Value {
	const { graph, config, weight, products } = context;
	const { n_embd: width, layer_norm_epsilon } = config;
	const activation = activationOf(config);
	const layers =
		products === "float32" ? float32Layers(graph, weight) : int8Layers(graph, weight, products, activation);
	const norm = (name: string, input: Value) =>
		graph.op("LayerNormalization", [input, weight(`${name}.weight`), weight(`${name}.bias`)], {
			epsilon: { float: layer_norm_epsilon },
		});
	const mixed = attention(context, layers.linear("attn.c_attn", norm("ln_1", rows)));
	const attended = graph.op("Add", [
		rows,
		layers.linear("attn.c_proj", graph.op("Reshape", [mixed, graph.ints([-1, width])])),
	]);
	// If one operator adds the bias too, that saves one pass over the rows.
	const product = layers.product("mlp.c_fc", norm("ln_2", attended));
	const inner = addBiasAndActivation(graph, activation, product, weight("mlp.c_fc.bias"));
	return graph.op("Add", [attended, layers.linear("mlp.c_proj", inner)]);
}

/** Attention without its projection: the joint query, key and value [rows, 3 * width] to [rows, heads, head width]. */
function attention({ graph, config, block, indices }: BlockContext, joint: Value): Value {
	const { qkv, unpacked, mask } = indices;
	const headWidth = graph.ints([-1, config.n_embd / config.n_head]);
	const heads = graph.op("Reshape", [joint, headWidth]);
	const [query, key, value] = qkv.map((index) => graph.op("Gather", [heads, index])) as [Value, Value, Value];
	const alpha = { float: attentionScale(config, block) };
	const scores = graph.op("FusedMatMul", [query, key], { transB: 1, alpha });
	const shares = graph.op("Softmax", [graph.op("Add", [scores, mask])], { axis: -1 });
	const mixed = graph.op("Reshape", [graph.op("MatMul", [shares, value]), headWidth]);
	return graph.op("Gather", [mixed, unpacked]);
}
