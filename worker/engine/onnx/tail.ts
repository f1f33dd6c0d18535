import type { Tensor } from "onnxruntime-node";
import { TailtuneError } from "../../../shared/errors.ts";
import type { TailSpec } from "../../../shared/messages.ts";
import type { Gpt2Config } from "../../../shared/model/gpt2-config.ts";
import type { ModelFiles } from "../../../shared/model/model-files.ts";
import { type ParameterLayout, parameterLayout } from "../../../shared/model/parameter-layout.ts";
import { cutOf, hasLora } from "../../../shared/model/tail-spec.ts";
import { type Embedding, embed, readEmbedding } from "../embedding.ts";
import type { EngineOptions, OpenTail, Tail, TailInput } from "../engine.ts";
import { floats, onnxInfo, Session } from "./session.ts";
import { gradientName, type TailGraphKind, tailGraph } from "./tail-graph.ts";
import { tailTensors } from "./tail-tensors.ts";

const SUPPORTED: ReadonlySet<TailSpec["trainable"]> = new Set([
	"TRAINABLE_HEAD",
	"TRAINABLE_LAST_BLOCK",
	"TRAINABLE_LAST_TWO_BLOCKS",
]);

/**
 * The largest rank whose products never have their columns shared among threads, on which the bits would depend: ONNX
 * Runtime gives a thread at least 16.
 */
const LARGEST_RANK = 16;

/**
 * Whether `openOnnxTail` can train that: whole blocks with frozen ones before them, the head alone, or LoRA pairs of a
 * rank up to 16.
 */
export function onnxTailSupports(
	spec: Pick<TailSpec, "trainable" | "loraRank">,
	config: Pick<Gpt2Config, "n_layer">,
): boolean {
	if (hasLora(spec)) return spec.loraRank <= LARGEST_RANK;
	return SUPPORTED.has(spec.trainable) && cutOf(spec, config.n_layer) > 0;
}

/**
 * The tail in ONNX Runtime with a hand-derived backward pass. Where every text is read at one row, the last block
 * computes that row only. Throws TailtuneError "engine" for what `onnxTailSupports` refuses, or where ONNX Runtime fails.
 */
export const openOnnxTail: OpenTail = async (model, spec, options) => {
	if (!onnxTailSupports(spec, model.config)) {
		throw new TailtuneError("engine", `onnx: ${spec.trainable} is not among what its tail can train`);
	}
	const embedding = cutOf(spec, model.config.n_layer) === 0 ? await readEmbedding(model) : undefined;
	return new OnnxTail(model, spec, options, embedding);
};

/**
 * The fewest columns of a matrix product that a thread may get. Below 65, ONNX Runtime adds up in other portions, and
 * the bits would depend on the number of threads; products of a tail are too small to gain from more threads anyway.
 */
const COLUMNS_PER_THREAD = 96;

interface OpenGraph {
	readonly session: Session;
	readonly gradientViews: ReadonlyMap<string, readonly number[]>;
}

class OnnxTail implements Tail {
	readonly info;
	readonly #model: ModelFiles;
	readonly #spec: TailSpec;
	readonly #options: EngineOptions;
	readonly #layout: ParameterLayout;
	/** Where the tail starts from tokens. */
	readonly #embedding: Embedding | undefined;
	#parameters: Float32Array | undefined;
	#weights: Record<string, Tensor> = {};
	#copy: Float32Array | undefined;
	/** For one call at a time: fresh memory would cost a fault a page, and collections of garbage. */
	#room = new Float32Array(0);
	readonly #graphs = new Map<string, Promise<OpenGraph>>();

	constructor(model: ModelFiles, spec: TailSpec, given: EngineOptions, embedding: Embedding | undefined) {
		this.#embedding = embedding;
		const most = Math.max(1, Math.floor(model.config.n_embd / COLUMNS_PER_THREAD));
		const options = { ...given, threads: Math.min(given.threads, most) };
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
		this.#parameters = parameters;
	}

	/** ONNX Runtime takes no shared memory. */
	#copyOf(shared: Float32Array): Float32Array {
		this.#copy ??= new Float32Array(this.#layout.size);
		this.#copy.set(shared);
		return this.#copy;
	}

	logits(inputs: readonly TailInput[]): Promise<Float32Array> {
		return this.#compute(inputs);
	}

	gradient(inputs: readonly TailInput[], gradient: Float32Array): Promise<Float32Array> {
		return this.#compute(inputs, gradient);
	}

	async dispose(): Promise<void> {
		for (const graph of this.#graphs.values()) await (await graph).session.dispose();
		this.#graphs.clear();
	}

	async #compute(given: readonly TailInput[], gradient?: Float32Array): Promise<Float32Array> {
		const { classes } = this.#spec;
		const blocks = this.#model.config.n_layer - cutOf(this.#spec, this.#model.config.n_layer);
		const table = this.#embedding;
		const inputs = table ? given.map((text) => ({ ...text, hidden: embed(text.tokens, table) })) : given;
		const oneRow = blocks > 0 && !hasLora(this.#spec) && inputs.every(({ poolCount }) => poolCount === 1);
		const { session, gradientViews } = await this.#graph({ oneRow, withGradient: gradient !== undefined });
		const logits = new Float32Array(inputs.length * classes);
		const results: Record<string, Tensor> = { logits: floats(logits, [inputs.length, classes]) };
		for (const { name, offset, size } of gradient ? this.#layout.entries : []) {
			if (offset >= this.#layout.trainedSize) continue;
			const own = (gradient as Float32Array).subarray(offset, offset + size);
			results[gradientName(name)] = floats(own, gradientViews.get(name) ?? []);
		}
		const options = { ...this.#spec, width: this.#model.config.n_embd, oneRow, blocks };
		let room = this.#room;
		this.#room = new Float32Array(0);
		const tensors = tailTensors(inputs, options, (length) => {
			if (room.length < length) room = new Float32Array(length);
			return room;
		});
		await session.run({ ...this.#weights, ...tensors }, results);
		this.#room = room;
		return logits;
	}

	#graph(kind: TailGraphKind): Promise<OpenGraph> {
		const key = JSON.stringify(kind);
		const graph = this.#graphs.get(key) ?? this.#open(kind);
		this.#graphs.set(key, graph);
		return graph;
	}

	async #open(kind: TailGraphKind): Promise<OpenGraph> {
		const { model, gradientViews } = tailGraph(this.#model, this.#spec, kind);
		return { session: await Session.open(model, this.#options), gradientViews };
	}
}
