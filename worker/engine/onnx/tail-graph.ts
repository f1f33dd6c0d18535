import type { TailSpec } from "../../../shared/messages.ts";
import type { ModelFiles } from "../../../shared/model/model-files.ts";
import { countFrozenBlocks, hasLora } from "../../../shared/model/tail-spec.ts";
import type { GradientForm } from "../../../shared/updates/gradient-form.ts";
import { attentionAllRows } from "./attention-all-rows.ts";
import { attentionOneRow } from "./attention-one-row.ts";
import { GraphBuilder, type Value } from "./graph-builder.ts";
import { narrowMatMul, transposed, withLora } from "./lora.ts";
import { attentionIndices, declareSlots } from "./packed-rows.ts";
import type { Pass, TailContext } from "./pass.ts";
import { mlpPass, normPass, sumOfRows } from "./passes.ts";
import { TailParameters } from "./tail-parameters.ts";
import { countWholeBlocks, type LastBlock } from "./whole-blocks.ts";

/** A tail has several graphs; this selects one. */
export interface TailGraphKind {
	/** The head reads one row of each text, so the last block computes only that row. */
	readonly oneRow: boolean;
	/** The form of the gradient; undefined: without the loss and the backward pass. */
	readonly form: GradientForm | undefined;
}

/** A tail's graph, and the shape of each dense gradient in the graph's outputs, by the parameter's name. */
export interface TailGraph {
	readonly model: Buffer;
	readonly gradientViews: ReadonlyMap<string, readonly number[]>;
}

/**
 * Builds the ONNX graph of the blocks after the cut, the final norm and the head, on request with the backward pass of
 * the mean loss.
 *
 * Rows are those of all texts, one text after the other. If any block is computed for all rows, they have no padding,
 * and only attention works on the rectangle [texts, longest]; otherwise they are the rows of that rectangle, with
 * padding.
 *
 * Inputs (a graph has only those that it uses; whole numbers are int64):
 * - each trained parameter by its name
 * - `hidden` [rows, width]
 * - `read` [texts]: the row of each text that the head reads; `readers` [rows]: the text of each such row, for all
 *   other rows the number of texts
 * - `pool` [texts, 1, longest]: the weight of each row in the mean that the head reads
 * - for blocks of all rows: those of `attentionIndices`, and `real` [texts, 1, longest, 1], 0 for padding
 * - `row mask` [texts, 1, longest]: added to the scores of the query row
 * - `places` [rows]: the index of each row in the rectangle
 * - for the backward pass: `target` and `share` [texts, classes], see `lossRows`
 *
 * Outputs: `logits` [texts, classes] and the gradients: of each dense range by `gradientName`, and factors by
 * `factorName`. If the embedding tables are trained, the gradient of `hidden` stands for theirs.
 */
export function tailGraph(model: ModelFiles, spec: TailSpec, { oneRow, form }: TailGraphKind): TailGraph {
	const { config } = model;
	const graph = new GraphBuilder("tail");
	const parameters = new TailParameters(graph, model, spec);
	const context: TailContext = {
		graph,
		width: config.n_embd,
		heads: config.n_head,
		config,
		loraScale: hasLora(spec) ? spec.loraScale : undefined,
		loraRank: spec.loraRank,
		weight: (name) => parameters.weight(name),
		setGradient: (name, value, how) => parameters.gradients.set(name, { value, ...how }),
	};
	const last: LastBlock = { oneRow, trainable: spec.trainable };
	const frozen = countFrozenBlocks(spec, config.n_layer);
	const logits = addHead(context, spec.classes, addBody(context, frozen, config.n_layer, last));
	if (form) {
		const target = graph.input("target", "float32", ["texts", spec.classes]);
		const share = graph.input("share", "float32", ["texts", spec.classes]);
		const probabilities = spec.loss?.multiLabel
			? graph.op("Sigmoid", [logits.value])
			: graph.op("Softmax", [logits.value], { axis: -1 });
		logits.back(graph.op("Mul", [graph.op("Sub", [probabilities, target]), share]));
	}
	graph.output("logits", logits.value, "float32", ["texts", spec.classes]);
	const gradientViews = form ? parameters.outputGradients(form) : new Map();
	if (form) graph.skipResultCopies("logits");
	return { model: graph.build(), gradientViews };
}

/** Adds the blocks and the final norm. The result is the states that the head reads: [texts, width]. */
function addBody(context: TailContext, cut: number, blocks: number, last: LastBlock): Pass {
	const { graph, width } = context;
	const { oneRow } = last;
	const setHiddenGradient = (gradient: Value) => {
		context.setGradient("hidden", gradient);
		return gradient;
	};
	const passes: Pass[] = [{ value: graph.input("hidden", "float32", ["rows", width]), back: setHiddenGradient }];
	const add = (next: (rows: Value) => Pass) => passes.push(next((passes.at(-1) as Pass).value));
	const whole = cut + countWholeBlocks(blocks - cut, last);
	const slots = cut < whole ? declareSlots(graph) : undefined;
	const toRectangle = rectanglePass(context, slots);
	const pool = oneRow ? pickRows(context) : meanRows(context, toRectangle);
	if (slots) {
		const indices = attentionIndices(graph, context.heads, slots);
		const real = graph.input("real", "float32", ["texts", 1, "longest", 1]);
		for (let i = cut; i < whole; i++) {
			add((rows) => attentionAllRows(context, i, rows, indices, real));
			if (oneRow && i === blocks - 1) add(pool);
			add((rows) => mlpPass(context, i, rows));
		}
	}
	if (whole < blocks) {
		const mask = graph.input("row mask", "float32", ["texts", 1, "longest"]);
		add((rows) => attentionOneRow(context, whole, rows, { mask, toRectangle, pick: pool }));
		add((rows) => mlpPass(context, whole, rows));
	}
	if (oneRow && cut === blocks) add(pool);
	add((rows) => normPass(context, "ln_f", rows));
	if (!oneRow) add(pool);
	return {
		value: (passes.at(-1) as Pass).value,
		back: (gradient) => passes.reduceRight((found, pass) => pass.back(found), gradient),
	};
}

/** Picks the row of each text that the head reads: rows [rows, width] to [texts, width]. */
function pickRows({ graph, width }: TailContext): (rows: Value) => Pass {
	const read = graph.input("read", "int64", ["texts"]);
	const readers = graph.input("readers", "int64", ["rows"]);
	const zeros = graph.op("Reshape", [graph.filled(0, width), graph.ints([1, width])]);
	return (rows) => ({
		value: graph.op("Gather", [rows, read]),
		// A row that isn't read gets the zeros, which come after the texts' gradients.
		back: (gradient) => graph.op("Gather", [graph.op("Concat", [gradient, zeros], { axis: 0 }), readers]),
	});
}

/** Takes the mean of the rows of each text that the head reads: rows [rows, width] to [texts, width]. */
function meanRows({ graph, width }: TailContext, toRectangle: (rows: Value) => Pass): (rows: Value) => Pass {
	const pool = graph.input("pool", "float32", ["texts", 1, "longest"]);
	return (rows) => {
		const rectangle = toRectangle(rows);
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
 * @param slots index of the row of each cell, if the rows have no padding; undefined if they are the rows of the
 * rectangle
 */
function rectanglePass({ graph, width }: TailContext, slots: Value | undefined): (rows: Value) => Pass {
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

/** Adds the head. The result is the logits [texts, classes]. */
function addHead(context: TailContext, classes: number, pooled: Pass): Pass {
	const { graph } = context;
	const weight = context.weight("score.weight");
	const scores = transposed(graph, narrowMatMul(graph, pooled.value, transposed(graph, weight, classes)), classes);
	const linear = withLora(context, "score", pooled.value, {
		value: graph.op("Add", [scores, context.weight("score.bias")]),
		back(gradient) {
			const product = graph.op("Gemm", [gradient, pooled.value], { transA: 1 });
			context.setGradient("score.weight", product, { factors: [{ left: gradient, right: pooled.value }] });
			context.setGradient("score.bias", sumOfRows(graph, gradient));
			return graph.op("MatMul", [gradient, weight]);
		},
	});
	return { value: linear.value, back: (gradient) => pooled.back(linear.back(gradient)) };
}
