import type { Tensor } from "onnxruntime-node";
import type { TailSpec } from "../../../shared/messages.ts";
import type { ModelFiles } from "../../../shared/model/model-files.ts";
import { type ParameterLayout, parameterLayout, parameterViews } from "../../../shared/model/parameter-layout.ts";
import { countFrozenBlocks } from "../../../shared/model/tail-spec.ts";
import { rowNumbers } from "../../../shared/updates/embedding-rows.ts";
import { denseViews, factorViews, type GradientForm } from "../../../shared/updates/gradient-form.ts";
import { checkForm } from "../check-form.ts";
import { type Embedding, embed, embeddingOf, readEmbedding, writeRowGradient } from "../embedding.ts";
import type { EngineOptions, OpenTail, Tail, TailInput } from "../engine.ts";
import { floats, OnnxSession, onnxInfo } from "./session.ts";
import { type TailGraphKind, tailGraph } from "./tail-graph.ts";
import { factorName, factorShape, gradientName, HIDDEN_GRADIENT } from "./tail-parameters.ts";
import { tailTensors } from "./tail-tensors.ts";

/**
 * Opens the tail in ONNX Runtime, with a hand-derived backward pass. If the head reads one row of every text, the last
 * block computes only that row. Throws TailtuneError "engine" if ONNX Runtime fails.
 */
export const openOnnxTail: OpenTail = async (model, spec, options) => {
	const isFrozen = countFrozenBlocks(spec, model.config.n_layer) === 0 && spec.trainable !== "TRAINABLE_ALL";
	return new OnnxTail(model, spec, options, isFrozen ? await readEmbedding(model) : undefined);
};

/**
 * The fewest columns of a matrix product per thread. Below 65 columns ONNX Runtime sums in other portions, and the bits
 * would depend on the number of threads. Products of a tail are too small to gain from more threads anyway.
 */
const COLUMNS_PER_THREAD = 96;

interface OpenGraph {
	readonly session: OnnxSession;
	readonly gradientViews: ReadonlyMap<string, readonly number[]>;
}

/** The array of a gradient, and its form. */
interface WantedGradient {
	readonly form: GradientForm;
	readonly gradient: Float32Array;
}

/** Makes the tensors of a gradient that the graph writes: views of its array, by the names of the graph's outputs. */
function gradientTensors(
	{ form, gradient }: WantedGradient,
	views: ReadonlyMap<string, readonly number[]>,
	texts: number,
): Record<string, Tensor> {
	const dense = [...denseViews(form, gradient)];
	const factors = factorViews(form, gradient, texts).flatMap(({ block, left, right }) => [
		[factorName(block, "left"), floats(left, factorShape(block, texts, block.rows))],
		[factorName(block, "right"), floats(right, factorShape(block, texts, block.columns))],
	]);
	return Object.fromEntries([
		...dense.map(([name, own]) => [gradientName(name), floats(own, views.get(name) ?? [])]),
		...factors,
	]);
}

class OnnxTail implements Tail {
	readonly info;
	readonly #model: ModelFiles;
	readonly #spec: TailSpec;
	readonly #options: EngineOptions;
	readonly #layout: ParameterLayout;
	/** Set if the tail starts from tokens: the model's tables, or the loaded ones if they are trained. */
	#embedding: Embedding | undefined;
	#parameters: Float32Array | undefined;
	#weights: Record<string, Tensor> = {};
	#copy: Float32Array | undefined;
	/** Reused by one call at a time: new memory would cost one page fault per page, and garbage collections. */
	#hiddenBuffer = new Float32Array(0);
	readonly #graphs = new Map<string, Promise<OpenGraph>>();

	constructor(model: ModelFiles, spec: TailSpec, given: EngineOptions, embedding: Embedding | undefined) {
		this.#embedding = embedding;
		const maxThreads = Math.max(1, Math.floor(model.config.n_embd / COLUMNS_PER_THREAD));
		const options = { ...given, threads: Math.min(given.threads, maxThreads) };
		this.info = onnxInfo(options);
		this.#model = model;
		this.#spec = spec;
		this.#options = options;
		this.#layout = parameterLayout(spec, model.config);
	}

	async load(given: Float32Array): Promise<void> {
		const parameters = given.buffer instanceof SharedArrayBuffer ? this.#copyOf(given) : given;
		if (parameters === this.#parameters) return;
		const views = this.#layout.entries.map(({ name, shape, offset, size }) => [
			name,
			floats(parameters.subarray(offset, offset + size), shape),
		]);
		this.#weights = Object.fromEntries(views);
		this.#embedding =
			embeddingOf(parameterViews(this.#layout, parameters), this.#model.config.n_embd) ?? this.#embedding;
		this.#parameters = parameters;
	}

	/** Needed because ONNX Runtime accepts no shared memory. */
	#copyOf(shared: Float32Array): Float32Array {
		this.#copy ??= new Float32Array(this.#layout.size);
		this.#copy.set(shared);
		return this.#copy;
	}

	logits(inputs: readonly TailInput[]): Promise<Float32Array> {
		return this.#compute(inputs);
	}

	async gradient(inputs: readonly TailInput[], form: GradientForm, gradient: Float32Array): Promise<Float32Array> {
		checkForm(inputs, form, gradient);
		return this.#compute(inputs, { form, gradient });
	}

	async dispose(): Promise<void> {
		for (const graph of this.#graphs.values()) await (await graph).session.dispose();
		this.#graphs.clear();
	}

	async #compute(given: readonly TailInput[], wanted?: WantedGradient): Promise<Float32Array> {
		const { classes } = this.#spec;
		const { n_embd: width, n_head: heads, n_layer } = this.#model.config;
		const blocks = n_layer - countFrozenBlocks(this.#spec, n_layer);
		const table = this.#embedding;
		const inputs = table ? given.map((text) => ({ ...text, hidden: embed(text.tokens, table) })) : given;
		const oneRow = inputs.every(({ poolCount }) => poolCount === 1);
		const { session, gradientViews } = await this.#graph({ oneRow, form: wanted?.form });
		const logits = new Float32Array(inputs.length * classes);
		const results = {
			logits: floats(logits, [inputs.length, classes]),
			...(wanted && gradientTensors(wanted, gradientViews, inputs.length)),
		};
		const options = { ...this.#spec, width, heads, oneRow, blocks };
		let buffer = this.#hiddenBuffer;
		this.#hiddenBuffer = new Float32Array(0);
		const { tensors, rowsOf } = tailTensors(inputs, options, (length) => {
			if (buffer.length < length) buffer = new Float32Array(length);
			return buffer;
		});
		const rowTable = wanted?.form.table;
		const states = rowTable && floats(new Float32Array(tensors.hidden.size), [tensors.hidden.size / width, width]);
		await session.run({ ...this.#weights, ...tensors }, { ...results, ...(states && { [HIDDEN_GRADIENT]: states }) });
		this.#hiddenBuffer = buffer;
		if (wanted && rowTable && states) {
			const all = states.data as Float32Array;
			const gradients = rowsOf.map(([from, to]) => all.subarray(from * width, to * width));
			writeRowGradient(inputs, gradients, rowTable, rowNumbers(wanted.form, wanted.gradient, inputs.length));
		}
		return logits;
	}

	#graph(kind: TailGraphKind): Promise<OpenGraph> {
		const factors = kind.form?.factors.map(({ name, index }) => `${name} ${index}`);
		const key = JSON.stringify([kind.oneRow, factors]);
		const known = this.#graphs.get(key);
		if (known) return known;
		const graph = this.#open(kind);
		this.#graphs.set(key, graph);
		// The next call tries again, and `dispose` finds only open graphs.
		graph.catch(() => this.#graphs.delete(key));
		return graph;
	}

	async #open(kind: TailGraphKind): Promise<OpenGraph> {
		const { model, gradientViews } = tailGraph(this.#model, this.#spec, kind);
		return { session: await OnnxSession.open(model, this.#options, this.#model.folder), gradientViews };
	}
}
