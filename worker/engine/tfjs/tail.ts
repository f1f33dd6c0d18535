import * as tf from "@tensorflow/tfjs";
import { TailtuneError } from "../../../shared/errors.ts";
import type { TailSpec } from "../../../shared/messages.ts";
import type { ModelFiles } from "../../../shared/model/model-files.ts";
import {
	baseShapes,
	isEmbedding,
	type ParameterLayout,
	parameterLayout,
	parameterViews,
} from "../../../shared/model/parameter-layout.ts";
import { countFrozenBlocks } from "../../../shared/model/tail-spec.ts";
import { rowNumbers } from "../../../shared/updates/embedding-rows.ts";
import { denseViews, factorViews, type GradientForm, type RowTable } from "../../../shared/updates/gradient-form.ts";
import { checkForm } from "../check-form.ts";
import { type Embedding, embed, embeddingOf, readEmbedding, writeRowGradient } from "../embedding.ts";
import type { Tail, TailInput } from "../engine.ts";
import { lossRows } from "../loss-rows.ts";
import { assertFits, openTfjsBackend, type TfjsBackend, type TfjsOptions } from "./backend.ts";
import { FactorRecorder } from "./factor-recorder.ts";
import { readsOneRow, type TailBatch, tailLogits } from "./forward.ts";
import { type Weights, weight } from "./layers.ts";
import { meanLoss } from "./loss.ts";
import { pad, rectangleOf } from "./rectangle.ts";
import { type Slot, slotsOf, writeSlot } from "./slots.ts";
import { disposeAll, readFrozen, type Tensors, toTensor } from "./weights.ts";

/** Opens the blocks after the cut on TensorFlow.js. Throws TailtuneError "engine" if the backend can't be used. */
export async function openTfjsTail(model: ModelFiles, spec: TailSpec, options: TfjsOptions): Promise<Tail> {
	const { config } = model;
	const backend = await openTfjsBackend(options);
	const layout = parameterLayout(spec, config);
	const cut = countFrozenBlocks(spec, config.n_layer);
	const own = new Set(layout.entries.map(({ name }) => name));
	const isBeforeCut = (name: string) => Number(/^h\.(\d+)\./.exec(name)?.[1] ?? cut) < cut;
	const frozen = baseShapes(config).flatMap(([name]) =>
		own.has(name) || isEmbedding(name) || isBeforeCut(name) ? [] : [name],
	);
	const frozenSize = frozen.reduce((sum, name) => sum + sizeOf(model, name), 0);
	const loaded = layout.entries.filter(({ name }) => !isEmbedding(name)).reduce((sum, { size }) => sum + size, 0);
	// Each trained parameter also has a gradient.
	assertFits(frozenSize + 2 * loaded, "the weights and their gradient", backend);
	const tensors = await readFrozen(backend, model, frozen);
	const embedding = cut === 0 && !own.has("wte.weight") ? await readEmbedding(model) : undefined;
	return new TfjsTail(backend, { model, spec, layout, tensors, cut, embedding });
}

function sizeOf(model: ModelFiles, name: string): number {
	return model.tensors.get(name)?.shape.reduce((product, size) => product * size, 1) ?? 0;
}

interface Parts {
	readonly model: ModelFiles;
	readonly spec: TailSpec;
	readonly layout: ParameterLayout;
	/** The frozen tensors; `load` adds the others. */
	readonly tensors: Tensors;
	readonly cut: number;
	/** Set if the tail starts from tokens and the tables are frozen. */
	readonly embedding: Embedding | undefined;
}

/** A tensor, and a view of the gradient of the parameter that it is part of. */
interface DenseSlot {
	readonly slot: Slot;
	readonly view: Float32Array;
}

/** A batch prepared for the tail: the states of each text [rows, width]. */
interface Prepared {
	readonly batch: TailBatch;
	readonly texts: readonly Float32Array[];
}

/**
 * Computes the gradients of the mean loss of logits.
 * @param lossOf returns the mean loss of logits
 * @returns logits, the gradients with respect to `wanted`, and the values that the recorder keeps
 */
function backpropagate(
	logitsOf: () => tf.Tensor2D,
	lossOf: (logits: tf.Tensor2D) => tf.Scalar,
	wanted: tf.Tensor[],
	recorder: FactorRecorder,
): tf.Tensor[] {
	let logits: tf.Tensor2D | undefined;
	try {
		const { grads } = tf.valueAndGrads(() => {
			logits = tf.keep(logitsOf());
			return lossOf(logits);
		})(wanted);
		return [logits as unknown as tf.Tensor, ...grads, ...recorder.values];
	} catch (error) {
		// The caller may try again with fewer texts. TensorFlow.js keeps the tensors of an unfinished tape.
		const saved = tf.engine().state.activeTape?.flatMap((node) => node.saved ?? []) ?? [];
		tf.dispose([logits as tf.Tensor | undefined, ...recorder.values, ...saved]);
		throw error;
	}
}

class TfjsTail implements Tail {
	readonly info;
	readonly #backend: TfjsBackend;
	readonly #parts: Parts;
	readonly #weights: Weights;
	readonly #slots: readonly Slot[];
	readonly #blocks: readonly number[];
	/** The loaded parameters. Tensors of the cpu backend are views of them. */
	readonly #vector: Float32Array;
	readonly #tables: Embedding | undefined;

	constructor(backend: TfjsBackend, parts: Parts) {
		const { layout, tensors, cut, spec } = parts;
		const { config } = parts.model;
		this.info = backend.info;
		this.#backend = backend;
		this.#parts = parts;
		this.#weights = { tensors, config, loraScale: spec.loraScale };
		this.#slots = layout.entries.filter(({ name }) => !isEmbedding(name)).flatMap(slotsOf);
		this.#blocks = Array.from({ length: config.n_layer - cut }, (_, i) => cut + i);
		this.#vector = new Float32Array(layout.size);
		this.#tables = embeddingOf(parameterViews(layout, this.#vector), config.n_embd);
	}

	async load(parameters: Float32Array): Promise<void> {
		const { size } = this.#parts.layout;
		if (parameters.length !== size) {
			throw new TailtuneError("engine", `parameters: found ${parameters.length} numbers, expected ${size}`);
		}
		const { tensors } = this.#parts;
		await this.#backend.run(() => {
			this.#vector.set(parameters);
			for (const slot of this.#slots) {
				tensors.get(slot.name)?.dispose();
				tensors.set(slot.name, toTensor(slot, this.#vector));
			}
		});
	}

	async logits(inputs: readonly TailInput[]): Promise<Float32Array> {
		if (inputs.length === 0) return new Float32Array(0);
		const { batch, texts } = this.#prepare(inputs);
		const values = await this.#backend.compute(() => [tailLogits(this.#toTensor(texts), batch, this.#weights)]);
		return values[0] as Float32Array;
	}

	async gradient(inputs: readonly TailInput[], form: GradientForm, gradient: Float32Array): Promise<Float32Array> {
		if (inputs.length === 0) throw new TailtuneError("engine", "gradient: found no texts, expected at least one");
		checkForm(inputs, form, gradient);
		const { spec } = this.#parts;
		const { batch, texts } = this.#prepare(inputs);
		const dense = denseViews(form, gradient);
		const slots = this.#denseSlots(dense, batch);
		const recorder = new FactorRecorder(form.factors, inputs.length);
		const [logits, ...found] = await this.#backend.compute(() => {
			const x = this.#toTensor(texts);
			const weights = { ...this.#weights, recorder };
			const wanted = [...slots.map(({ slot }) => weight(weights, slot.name)), ...recorder.makeZeros()];
			const rows = lossRows(inputs, spec);
			return backpropagate(
				() => tailLogits(x, batch, weights),
				(logits) => meanLoss(logits, rows, spec),
				form.table ? [...wanted, x] : wanted,
				recorder,
			);
		});
		gradient.fill(0);
		for (const { slot, view } of slots) writeSlot(slot, found.shift() as Float32Array, view);
		recorder.write(factorViews(form, gradient, inputs.length), found);
		if (form.table) {
			const target = rowNumbers(form, gradient, inputs.length);
			writeTableGradient(inputs, found[0] as Float32Array, form.table, target);
		}
		return logits as Float32Array;
	}

	async dispose(): Promise<void> {
		await this.#backend.run(() => disposeAll(this.#parts.tensors));
	}

	#prepare(inputs: readonly TailInput[]): Prepared {
		const { embedding, spec, model } = this.#parts;
		const table = this.#tables ?? embedding;
		const width = model.config.n_embd;
		const texts = inputs.map(({ hidden, tokens }) => (table ? embed(tokens, table) : hidden));
		const batch = { causal: spec.causal, blocks: this.#blocks };
		if (this.#blocks.length > 0) {
			return { texts, batch: { ...batch, pools: inputs, lengths: texts.map(({ length }) => length / width) } };
		}
		// Without attention only the pooled rows count.
		const pooled = inputs.map(({ poolFrom, poolCount }, i) =>
			(texts[i] as Float32Array).subarray(poolFrom * width, (poolFrom + poolCount) * width),
		);
		const lengths = inputs.map(({ poolCount }) => poolCount);
		return {
			texts: pooled,
			batch: { ...batch, lengths, pools: lengths.map((poolCount) => ({ poolFrom: 0, poolCount })) },
		};
	}

	#toTensor(texts: readonly Float32Array[]): tf.Tensor2D {
		const width = this.#parts.model.config.n_embd;
		return pad(texts, width, rectangleOf(texts.map(({ length }) => length / width)));
	}

	/**
	 * Returns the tensors whose gradient is dense, with the view of each parameter's gradient. The key bias adds the same
	 * to all scores of a query row, so the one-row path doesn't use it, and its gradient is 0.
	 */
	#denseSlots(dense: ReadonlyMap<string, Float32Array>, batch: TailBatch): DenseSlot[] {
		const unused = readsOneRow(batch) ? `h.${batch.blocks.at(-1)}.attn.c_attn.k.bias` : "";
		return this.#parts.layout.entries.flatMap(({ name, shape }) => {
			const view = dense.get(name);
			if (!view) return [];
			const slots = slotsOf({ name, shape, offset: 0 }).filter((slot) => slot.name !== unused);
			return slots.map((slot) => ({ slot, view }));
		});
	}
}

/** @param states the gradient of the padded states */
function writeTableGradient(
	inputs: readonly TailInput[],
	states: Float32Array,
	table: RowTable,
	target: Float32Array,
): void {
	const { width } = table;
	const lengths = inputs.map(({ tokens }) => tokens.length);
	const { rows } = rectangleOf(lengths);
	const own = lengths.map((length, i) => states.subarray(i * rows * width, (i * rows + length) * width));
	writeRowGradient(inputs, own, table, target);
}
