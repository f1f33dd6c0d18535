import { TailtuneError } from "../../../shared/errors.ts";
import type { TailSpec } from "../../../shared/messages.ts";
import type { ModelFiles } from "../../../shared/model/model-files.ts";
import { parameterLayout } from "../../../shared/model/parameter-layout.ts";
import { cutOf, hasLora } from "../../../shared/model/tail-spec.ts";
import { isEmbedding } from "../embedding.ts";
import { attentionAllRows } from "./attention-all-rows.ts";
import { attentionOneRow } from "./attention-one-row.ts";
import { GraphBuilder, storedTensor, type Value } from "./graph-builder.ts";
import { fewColumns, mlp, norm, type Pass, sumOfRows, type TailContext, turned, withLora } from "./passes.ts";

/** Which of a tail's graphs. */
export interface TailGraphKind {
	/** Every text is read at one row: the last block computes nothing else. */
	readonly oneRow: boolean;
	/** With loss and backward pass. */
	readonly withGradient: boolean;
}

/** A tail's graph, and the view in which each trained parameter's gradient comes out, by the parameter's name. */
export interface TailGraph {
	readonly model: Buffer;
	readonly gradientViews: ReadonlyMap<string, readonly number[]>;
}

/** Name of the output that holds a parameter's gradient. */
export function gradientName(parameter: string): string {
	return `gradient ${parameter}`;
}

/** Name of the output that holds the gradient of `hidden`, from which the embedding tables' is made. */
export const HIDDEN_GRADIENT = gradientName("hidden");

/**
 * The ONNX graph of the blocks after the cut, the final norm and the head, with the mean cross-entropy's backward pass
 * where asked for.
 *
 * Inputs: each trained parameter by its name; `hidden` [texts, longest, width]; `pool` [texts, 1, longest], what each
 * row counts for the head; `mask`, added to the scores of all rows [texts, heads, longest, longest]; `row mask`
 * [texts, 1, longest], the same for the one row; `corners` int64 [texts, longest]; with gradient `target`
 * [texts, classes], 1 for the label, and `share` [1], 1 / texts. A graph has those of them that it needs.
 * Outputs: `logits` [texts, classes], and the gradients; that of `hidden` [texts * longest, width] in place of the
 * embedding tables', where they are trained.
 */
export function tailGraph(model: ModelFiles, spec: TailSpec, { oneRow, withGradient }: TailGraphKind): TailGraph {
	const { config } = model;
	const graph = new GraphBuilder("tail");
	const parameters = new TailParameters(graph, model, spec);
	const context: TailContext = {
		graph,
		width: config.n_embd,
		heads: config.n_head,
		epsilon: config.layer_norm_epsilon,
		loraScale: hasLora(spec) ? spec.loraScale : undefined,
		loraRank: spec.loraRank,
		weight: (name) => parameters.weight(name),
		gradient: (name, value, view) => parameters.gradients.set(name, { value, view }),
	};
	const logits = head(context, spec.classes, body(context, cutOf(spec, config.n_layer), config.n_layer, oneRow));
	if (withGradient) {
		const target = graph.input("target", "float32", ["texts", spec.classes]);
		const share = graph.input("share", "float32", [1]);
		const off = graph.op("Sub", [graph.op("Softmax", [logits.value], { axis: -1 }), target]);
		logits.back(graph.op("Mul", [off, share]));
	}
	graph.output("logits", logits.value, "float32", ["texts", spec.classes]);
	const gradientViews = withGradient ? parameters.outputGradients() : new Map();
	if (withGradient) graph.answerNothing("logits");
	return { model: graph.build(), gradientViews };
}

/** Final states of the pooled rows, normed: [texts, width]. */
function body(context: TailContext, cut: number, blocks: number, oneRow: boolean): Pass {
	const { graph, width } = context;
	const hidden = graph.input("hidden", "float32", ["texts", "longest", width]);
	const pool = graph.input("pool", "float32", ["texts", 1, "longest"]);
	const keep = (gradient: Value) => {
		context.gradient("hidden", gradient);
		return gradient;
	};
	const passes: Pass[] = [{ value: flat(context, hidden), back: keep }];
	const add = (next: (rows: Value) => Pass) => passes.push(next((passes.at(-1) as Pass).value));
	const addPooled = () => add((rows) => pooled(context, rows, hidden, pool));
	// Query, key and value with LoRA pairs of their own have to be formed.
	const asksOnce = oneRow && context.loraScale === undefined;
	const whole = asksOnce ? blocks - 1 : blocks;
	if (cut < whole) {
		const mask = graph.input("mask", "float32", ["mask texts", 1, "mask rows", "longest"]);
		const corners = graph.input("corners", "int64", [2]);
		for (let i = cut; i < whole; i++) {
			add((rows) => attentionAllRows(context, `h.${i}`, rows, mask, corners));
			if (oneRow && i === blocks - 1) addPooled();
			add((rows) => mlp(context, `h.${i}`, rows));
		}
	}
	if (asksOnce) {
		const rowMask = graph.input("row mask", "float32", ["texts", 1, "longest"]);
		add((rows) => {
			const one = attentionOneRow(context, `h.${whole}`, cubic(context, rows, hidden), { mask: rowMask, pool });
			return { value: one.value, back: (gradient) => flat(context, one.back(gradient)) };
		});
		add((rows) => mlp(context, `h.${whole}`, rows));
	}
	add((rows) => norm(context, "ln_f", rows));
	if (!oneRow) addPooled();
	return {
		value: (passes.at(-1) as Pass).value,
		back: (gradient) => passes.reduceRight((found, pass) => pass.back(found), gradient),
	};
}

/** What the head reads of rows [texts * longest, width]: [texts, width]. */
function pooled(context: TailContext, rows: Value, hidden: Value, pool: Value): Pass {
	const { graph } = context;
	return {
		value: flat(context, graph.op("MatMul", [pool, cubic(context, rows, hidden)])),
		back(gradient) {
			const parts = graph.op("Unsqueeze", [gradient, graph.ints([1])]);
			return flat(context, graph.op("FusedMatMul", [pool, parts], { transA: 1 }));
		},
	};
}

function flat({ graph, width }: TailContext, value: Value): Value {
	return graph.op("Reshape", [value, graph.ints([-1, width])]);
}

function cubic({ graph }: TailContext, value: Value, like: Value): Value {
	return graph.op("Reshape", [value, graph.op("Shape", [like])]);
}

/** Logits [texts, classes] of the pooled states. */
function head(context: TailContext, classes: number, pooled: Pass): Pass {
	const { graph } = context;
	const weight = context.weight("score.weight");
	const scores = turned(graph, fewColumns(graph, pooled.value, turned(graph, weight, classes)), classes);
	const linear = withLora(context, "score", pooled.value, {
		value: graph.op("Add", [scores, context.weight("score.bias")]),
		back(gradient) {
			context.gradient("score.weight", graph.op("Gemm", [gradient, pooled.value], { transA: 1 }));
			context.gradient("score.bias", sumOfRows(graph, gradient));
			return graph.op("MatMul", [gradient, weight]);
		},
	});
	return { value: linear.value, back: (gradient) => pooled.back(linear.back(gradient)) };
}

/** Parameters of the vector are inputs of the graph; all other weights stay where they are stored. */
class TailParameters {
	readonly gradients = new Map<string, { value: Value; view: readonly number[] | undefined }>();
	readonly #width: number;
	readonly #trainsEmbedding: boolean;
	readonly #graph: GraphBuilder;
	readonly #model: ModelFiles;
	/** What travels in the vector: what is trained, and a head left frozen. */
	readonly #given: ReadonlyMap<string, readonly number[]>;
	readonly #trained: ReadonlyMap<string, readonly number[]>;
	readonly #values = new Map<string, Value>();

	constructor(graph: GraphBuilder, model: ModelFiles, spec: TailSpec) {
		this.#graph = graph;
		this.#model = model;
		const { entries, trainedSize } = parameterLayout(spec, model.config);
		const trained = entries.filter(({ offset, name }) => offset < trainedSize && !isEmbedding(name));
		this.#trainsEmbedding = entries.some(({ name }) => isEmbedding(name));
		this.#width = model.config.n_embd;
		this.#given = new Map(entries.map(({ name, shape }) => [name, shape]));
		this.#trained = new Map(trained.map(({ name, shape }) => [name, shape]));
	}

	weight(name: string): Value {
		const value = this.#values.get(name) ?? this.#declare(name);
		this.#values.set(name, value);
		return value;
	}

	/** Makes the gradients of what is trained outputs of the graph. */
	outputGradients(): Map<string, readonly number[]> {
		const views = new Map<string, readonly number[]>();
		for (const [name, shape] of this.#trained) {
			const gradient = this.gradients.get(name);
			if (!gradient)
				throw new TailtuneError("engine", `onnx: no gradient for ${name}, expected one for all that is trained`);
			const view = gradient.view ?? shape;
			this.#graph.output(gradientName(name), gradient.value, "float32", view);
			views.set(name, view);
		}
		const hidden = this.gradients.get("hidden");
		if (this.#trainsEmbedding && hidden) {
			this.#graph.output(HIDDEN_GRADIENT, hidden.value, "float32", ["rows", this.#width]);
		}
		return views;
	}

	#declare(name: string): Value {
		const shape = this.#given.get(name);
		if (shape) return this.#graph.input(name, "float32", shape);
		return this.#graph.stored(name, storedTensor(this.#model.tensors, name));
	}
}
