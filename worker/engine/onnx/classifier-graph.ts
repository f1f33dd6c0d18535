import { activationOf, attentionScale } from "../../../shared/model/variant.ts";
import { paddingMatters } from "../../../shared/sequences/effective-sequence.ts";
import { type OnnxWeights, scaleName, type TextReading } from "../../../shared/worker-port/onnx-classifier.ts";
import { addActivation } from "./activation.ts";
import { GraphBuilder, storedTensor, type Value } from "./graph-builder.ts";
import { storedInt8Linear } from "./int8-linear.ts";
import { type Dialect, ELEMENT_TYPE } from "./onnx-model.ts";

/** Opset 18 without other operators: ONNX Runtime since 1.14 and other runtimes can read it. */
const DIALECT: Dialect = { ir_version: 8, opset_import: [{ domain: "", version: 18 }] };

/** Added to a score that must not count. */
const MASKED = -3e38;

/** The texts in the graph, padded to the rectangle [batch, length]. */
interface Texts {
	readonly ids: Value;
	/** 0, 1, 2, ... [length]. */
	readonly positions: Value;
	/** int64 [batch, 1]: each text's own tokens, and the tokens that attention sees, which may include padding. */
	readonly real: Value;
	readonly seen: Value;
}

/**
 * Builds the ONNX graph of a whole tuned model, for use in other software: standard operators, weights in a file next
 * to the graph. Matrices that are stored in 8 bits are multiplied in 8 bits, by rows with a scale each, so that a text
 * gets the same logits in every batch.
 *
 * Inputs: `input_ids` and `attention_mask` int64 [batch, sequence]. A text's own tokens have mask 1; padding may come
 * before or after them. The graph fails for a text without own tokens and for an id outside of the vocabulary. It also
 * fails for a text of more than `maxTokens`, unless the run that tuned the model cut such texts: then the graph cuts
 * them too. Output: `logits` [batch, classes]. If padding affects the result, the graph itself adds it, so that a text
 * gets the same logits in every batch.
 */
export async function buildClassifierGraph(model: OnnxWeights, reading: TextReading): Promise<Buffer> {
	const graph = new GraphBuilder("classifier", model.folder);
	const texts = prepareTexts(graph, reading, model.config.vocab_size);
	const weight = (name: string) => graph.stored(name, storedTensor(model.tensors, name));
	const builder = new ClassifierBuilder(graph, model, weight);
	const mask = attentionMask(graph, texts, reading.causal);
	let rows = builder.embed(texts);
	for (let block = 0; block < model.config.n_layer; block++) rows = builder.block(block, rows, mask);
	const pooled = builder.pool(rows, texts, reading.token);
	const score = storedTensor(model.tensors, "score.weight");
	const logits = graph.op("Gemm", [pooled, weight("score.weight")], { transB: 1 });
	graph.output("logits", logits, "float32", ["batch", score.shape[0] as number]);
	return graph.build(DIALECT);
}

function prepareTexts(graph: GraphBuilder, reading: TextReading, vocabulary: number): Texts {
	const { maxTokens, padTo, padId = 0 } = reading;
	const { ids: given, counts } = moveToFront(graph);
	const cut = graph.op("Slice", [given, graph.ints([0]), graph.ints([maxTokens]), graph.ints([1])]);
	const real = graph.op("Min", [counts, graph.ints(maxTokens)]);
	const isPadded = padTo !== undefined && paddingMatters(reading);
	const long = isPadded ? lengthen(graph, cut, padTo) : cut;
	const length = graph.op("Squeeze", [lengthOf(graph, long), graph.ints([0])]);
	const positions = graph.op("Range", [graph.ints(0), length, graph.ints(1)]);
	// The ids of padding may be anything, so they are replaced. An id outside of the vocabulary makes the graph fail.
	const filled = graph.op("Where", [graph.op("Less", [positions, real]), long, graph.ints(isPadded ? padId : 0)]);
	const isEmpty = graph.op("Equal", [counts, graph.ints(0)]);
	const isTooLong = graph.op("Greater", [counts, graph.ints(maxTokens)]);
	const isRefused = reading.long === "cut" ? isEmpty : graph.op("Or", [isEmpty, isTooLong]);
	const ids = graph.op("Where", [isRefused, graph.ints(vocabulary), filled]);
	return { ids, positions, real, seen: isPadded ? graph.op("Max", [real, graph.ints(padTo)]) : real };
}

/**
 * Declares the inputs and moves each text's own tokens to its beginning, in order. `counts` of them is int64 [batch,
 * 1].
 */
function moveToFront(graph: GraphBuilder): { ids: Value; counts: Value } {
	const ids = graph.input("input_ids", "int64", ["batch", "sequence"]);
	const mask = graph.input("attention_mask", "int64", ["batch", "sequence"]);
	const isReal = graph.op("Not", [graph.op("Equal", [mask, graph.ints(0)])]);
	const width = lengthOf(graph, ids);
	const columns = graph.op("Range", [graph.ints(0), graph.op("Squeeze", [width, graph.ints([0])]), graph.ints(1)]);
	const keys = graph.op("Where", [isReal, columns, graph.op("Add", [columns, width])]);
	const [, order = ""] = graph.ops("TopK", [keys, width], 2, { largest: 0 });
	const counts = graph.op("ReduceSum", [graph.op("Cast", [isReal], { to: ELEMENT_TYPE.int64 }), graph.ints([1])]);
	return { ids: graph.op("GatherElements", [ids, order], { axis: 1 }), counts };
}

/** Pads ids [batch, length] to at least `least` columns. */
function lengthen(graph: GraphBuilder, ids: Value, least: number): Value {
	const missing = graph.op("Max", [graph.op("Sub", [graph.ints([least]), lengthOf(graph, ids)]), graph.ints([0])]);
	const pads = graph.op("Concat", [graph.ints([0, 0, 0]), missing], { axis: 0 });
	return graph.op("Pad", [ids, pads]);
}

/** The number of columns of [batch, length], int64 [1]. */
function lengthOf(graph: GraphBuilder, ids: Value): Value {
	return graph.op("Shape", [ids], { start: 1, end: 2 });
}

/**
 * The mask added to scores [batch, heads, length, length]. A causal mask hides the padding too; a full mask must hide
 * it itself.
 */
function attentionMask(graph: GraphBuilder, { positions, seen }: Texts, causal: boolean): Value {
	const rows = graph.op("Unsqueeze", [positions, graph.ints([1])]);
	const isSeen = causal
		? graph.op("LessOrEqual", [positions, rows])
		: graph.op("Unsqueeze", [graph.op("Less", [positions, seen]), graph.ints([1, 2])]);
	return graph.op("Where", [isSeen, graph.float(0), graph.float(MASKED)]);
}

/** The layers of a GPT-2, on rows [batch, length, width]. */
class ClassifierBuilder {
	readonly #graph: GraphBuilder;
	readonly #model: OnnxWeights;
	readonly #weight: (name: string) => Value;

	constructor(graph: GraphBuilder, model: OnnxWeights, weight: (name: string) => Value) {
		this.#graph = graph;
		this.#model = model;
		this.#weight = weight;
	}

	embed({ ids, positions }: Texts): Value {
		return this.#graph.op("Add", [this.#rowsOf("wte.weight", ids), this.#rowsOf("wpe.weight", positions)]);
	}

	/** Rows of an embedding, by their numbers. */
	#rowsOf(name: string, indices: Value): Value {
		const graph = this.#graph;
		const rows = graph.op("Gather", [this.#weight(name), indices]);
		if (!this.#isQuantized(name)) return rows;
		const numbers = graph.op("Sub", [graph.op("Cast", [rows], { to: ELEMENT_TYPE.float32 }), graph.float(128)]);
		return graph.op("Mul", [numbers, graph.op("Gather", [this.#weight(scaleName(name)), indices])]);
	}

	#isQuantized(name: string): boolean {
		return this.#model.tensors.has(scaleName(name));
	}

	block(block: number, rows: Value, mask: Value): Value {
		const graph = this.#graph;
		const name = `h.${block}`;
		const attended = graph.op("Add", [rows, this.#attention(block, this.#norm(`${name}.ln_1`, rows), mask)]);
		const product = this.#linear(`${name}.mlp.c_fc`, this.#norm(`${name}.ln_2`, attended));
		const inner = addActivation(graph, activationOf(this.#model.config), product);
		return graph.op("Add", [attended, this.#linear(`${name}.mlp.c_proj`, inner)]);
	}

	/** The states that the head reads, after the final norm: [batch, width]. */
	pool(rows: Value, { positions, real, seen }: Texts, token: TextReading["token"]): Value {
		const graph = this.#graph;
		const row = (count: Value) =>
			graph.op("GatherND", [rows, graph.op("Sub", [count, graph.ints(1)])], { batch_dims: 1 });
		const mean = (count: Value) => {
			const isCounted = graph.op("Cast", [graph.op("Less", [positions, count])], { to: ELEMENT_TYPE.float32 });
			const sums = graph.op("MatMul", [graph.op("Unsqueeze", [isCounted, graph.ints([1])]), this.#norm("ln_f", rows)]);
			const total = graph.op("Cast", [count], { to: ELEMENT_TYPE.float32 });
			return graph.op("Div", [graph.op("Squeeze", [sums, graph.ints([1])]), total]);
		};
		switch (token) {
			case "first":
				return this.#norm("ln_f", graph.op("Gather", [rows, graph.ints(0)], { axis: 1 }));
			case "last":
				return this.#norm("ln_f", row(seen));
			case "last-real":
				return this.#norm("ln_f", row(real));
			case "mean":
				return mean(seen);
			case "mean-real":
				return mean(real);
		}
	}

	#norm(name: string, rows: Value): Value {
		const epsilon = { float: this.#model.config.layer_norm_epsilon };
		const [scale, shift] = [this.#weight(`${name}.weight`), this.#weight(`${name}.bias`)];
		return this.#graph.op("LayerNormalization", [rows, scale, shift], { epsilon });
	}

	#linear(name: string, rows: Value): Value {
		const weight = `${name}.weight`;
		const product = this.#isQuantized(weight)
			? this.#int8Product(weight, rows)
			: this.#graph.op("MatMul", [rows, this.#weight(weight)]);
		return this.#graph.op("Add", [product, this.#weight(`${name}.bias`)]);
	}

	#int8Product(name: string, rows: Value): Value {
		const graph = this.#graph;
		const [inputs = 0, outputs = 0] = storedTensor(this.#model.tensors, name).shape;
		const product = storedInt8Linear(graph, graph.op("Reshape", [rows, graph.ints([-1, inputs])]), {
			numbers: this.#weight(name),
			scales: this.#weight(scaleName(name)),
			after: name.endsWith(".mlp.c_proj.weight") ? activationOf(this.#model.config) : undefined,
		});
		const shape = graph.op("Concat", [graph.op("Shape", [rows], { end: 2 }), graph.ints([outputs])], { axis: 0 });
		return graph.op("Reshape", [product, shape]);
	}

	#attention(block: number, rows: Value, mask: Value): Value {
		const graph = this.#graph;
		const { config } = this.#model;
		const { n_head: heads, n_embd: width } = config;
		const name = `h.${block}.attn`;
		const shape = graph.ints([0, 0, heads, width / heads]);
		const parts = graph.ops("Split", [this.#linear(`${name}.c_attn`, rows)], 3, { axis: 2, num_outputs: 3 });
		const [query = "", key = "", value = ""] = parts.map((part, i) =>
			graph.op("Transpose", [graph.op("Reshape", [part, shape])], { perm: i === 1 ? [0, 2, 3, 1] : [0, 2, 1, 3] }),
		);
		const scores = graph.op("Mul", [graph.op("MatMul", [query, key]), graph.float(attentionScale(config, block))]);
		const shares = graph.op("Softmax", [graph.op("Add", [scores, mask])], { axis: -1 });
		const mixed = graph.op("Transpose", [graph.op("MatMul", [shares, value])], { perm: [0, 2, 1, 3] });
		return this.#linear(`${name}.c_proj`, graph.op("Reshape", [mixed, graph.ints([0, 0, width])]));
	}
}
