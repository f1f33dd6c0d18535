import { TailtuneError } from "../../../shared/errors.ts";
import type { TailSpec } from "../../../shared/messages.ts";
import type { ModelFiles } from "../../../shared/model/model-files.ts";
import { parameterLayout } from "../../../shared/model/parameter-layout.ts";
import { countFrozenBlocks, hasLora } from "../../../shared/model/tail-spec.ts";
import { isEmbedding } from "../embedding.ts";
import { attentionAllRows } from "./attention-all-rows.ts";
import { attentionOneRow } from "./attention-one-row.ts";
import { GraphBuilder, storedTensor, type Value } from "./graph-builder.ts";
import { attentionPlaces, declareSlots } from "./packed-rows.ts";
import { fewColumns, mlp, norm, type Pass, sumOfRows, type TailContext, turned, withLora } from "./passes.ts";
import { countWholeBlocks, type LastBlock } from "./whole-blocks.ts";

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
 * Rows are those of all texts that the tail reads, one text after the other: without padding where whole blocks are
 * computed, whose attention alone works on the rectangle [texts, longest]; else they are the rows of the rectangle.
 *
 * Inputs: each trained parameter by its name; `hidden` [rows, width]; `read` [texts], the row that the head reads of each
 * text, and `readers` [rows], the text that is read at each row, or the number of texts; or `pool` [texts, 1, longest], what
 * each place counts for the head; those of `attentionPlaces` for all rows, with `real` [texts, 1, longest, 1], 0 for
 * padding; `row mask` [texts, 1, longest], added to the scores of the one row; `places` [rows], the place of each row in
 * the rectangle; with gradient `target` [texts, classes], 1 for the label, and `share` [1], 1 / texts. A graph has those
 * of them that it needs; whole numbers are int64.
 * Outputs: `logits` [texts, classes], and the gradients; that of `hidden` in place of the embedding tables', where they
 * are trained.
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
	const last: LastBlock = { oneRow, trainable: spec.trainable };
	const logits = head(
		context,
		spec.classes,
		body(context, countFrozenBlocks(spec, config.n_layer), config.n_layer, last),
	);
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
function body(context: TailContext, cut: number, blocks: number, last: LastBlock): Pass {
	const { graph, width } = context;
	const { oneRow } = last;
	const keep = (gradient: Value) => {
		context.gradient("hidden", gradient);
		return gradient;
	};
	const passes: Pass[] = [{ value: graph.input("hidden", "float32", ["rows", width]), back: keep }];
	const add = (next: (rows: Value) => Pass) => passes.push(next((passes.at(-1) as Pass).value));
	const whole = cut + countWholeBlocks(blocks - cut, last);
	const slots = cut < whole ? declareSlots(graph) : undefined;
	const intoRectangle = rectangleOf(context, slots);
	const pool = oneRow ? pickRows(context) : meanRows(context, intoRectangle);
	if (slots) {
		const places = attentionPlaces(graph, context.heads, slots);
		const real = graph.input("real", "float32", ["texts", 1, "longest", 1]);
		for (let i = cut; i < whole; i++) {
			add((rows) => attentionAllRows(context, `h.${i}`, rows, places, real));
			if (oneRow && i === blocks - 1) add(pool);
			add((rows) => mlp(context, `h.${i}`, rows));
		}
	}
	if (whole < blocks) {
		const mask = graph.input("row mask", "float32", ["texts", 1, "longest"]);
		add((rows) => attentionOneRow(context, `h.${whole}`, rows, { mask, intoRectangle, pick: pool }));
		add((rows) => mlp(context, `h.${whole}`, rows));
	}
	if (oneRow && cut === blocks) add(pool);
	add((rows) => norm(context, "ln_f", rows));
	if (!oneRow) add(pool);
	return {
		value: (passes.at(-1) as Pass).value,
		back: (gradient) => passes.reduceRight((found, pass) => pass.back(found), gradient),
	};
}

/** Of each text the one row that the head reads: rows [rows, width] to [texts, width]. */
function pickRows({ graph, width }: TailContext): (rows: Value) => Pass {
	const read = graph.input("read", "int64", ["texts"]);
	const readers = graph.input("readers", "int64", ["rows"]);
	const zeros = graph.op("Reshape", [graph.filled(0, width), graph.ints([1, width])]);
	return (rows) => ({
		value: graph.op("Gather", [rows, read]),
		// A row that isn't read has the zeros behind those of the texts.
		back: (gradient) => graph.op("Gather", [graph.op("Concat", [gradient, zeros], { axis: 0 }), readers]),
	});
}

/** Of each text the mean of the rows that the head reads: rows [rows, width] to [texts, width]. */
function meanRows({ graph, width }: TailContext, intoRectangle: (rows: Value) => Pass): (rows: Value) => Pass {
	const pool = graph.input("pool", "float32", ["texts", 1, "longest"]);
	return (rows) => {
		const rectangle = intoRectangle(rows);
		const mean = graph.op("MatMul", [pool, rectangle.value]);
		return {
			value: graph.op("Reshape", [mean, graph.ints([-1, width])]),
			back(gradient) {
				const parts = graph.op("Unsqueeze", [gradient, graph.ints([1])]);
				return rectangle.back(graph.op("FusedMatMul", [pool, parts], { transA: 1 }));
			},
		};
	};
}

/**
 * Rows [rows, width] to the rectangle [texts, longest, width].
 * @param slots where rows come without padding, which is then any row; else the rows are the rectangle's
 */
function rectangleOf({ graph, width }: TailContext, slots: Value | undefined): (rows: Value) => Pass {
	const flat = (value: Value) => graph.op("Reshape", [value, graph.ints([-1, width])]);
	if (slots === undefined) {
		const longest = graph.input("longest", "int64", [1]);
		const shape = graph.op("Concat", [graph.ints([-1]), longest, graph.ints([width])], { axis: 0 });
		return (rows) => ({ value: graph.op("Reshape", [rows, shape]), back: flat });
	}
	const places = graph.input("places", "int64", ["rows"]);
	const index = graph.op("Squeeze", [slots, graph.ints([1])]);
	return (rows) => ({
		value: graph.op("Gather", [rows, index]),
		back: (gradient) => graph.op("Gather", [flat(gradient), places]),
	});
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
