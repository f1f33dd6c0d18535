import { TailtuneError } from "../../../shared/errors.ts";
import type { TailSpec } from "../../../shared/messages.ts";
import type { ModelFiles } from "../../../shared/model/model-files.ts";
import { parameterLayout } from "../../../shared/model/parameter-layout.ts";
import type { FactorBlock, GradientForm } from "../../../shared/updates/gradient-form.ts";
import { type GraphBuilder, storedTensor, type Value } from "./graph-builder.ts";
import type { GradientView } from "./pass.ts";

/** Returns the name of the output that holds a parameter's gradient. */
export function gradientName(parameter: string): string {
	return `gradient ${parameter}`;
}

/** Returns the name of the output that holds a block's left or right factors. */
export function factorName({ name, index }: FactorBlock, side: "left" | "right"): string {
	return `${side} factor ${index} of ${name}`;
}

/** Returns the shape of a block's factors in the output: [texts, numbers], or by head [texts, heads, numbers]. */
export function factorShape<Texts>({ index, heads }: FactorBlock, texts: Texts, numbers: number): (Texts | number)[] {
	return index === 0 ? [texts, numbers] : [texts, heads, numbers];
}

/** Name of the output that holds the gradient of `hidden`; the embedding tables' gradient is computed from it. */
export const HIDDEN_GRADIENT = gradientName("hidden");

/** The weights of a graph. Parameters of the vector are its inputs; it reads all others from the model's files. */
export class TailParameters {
	readonly gradients = new Map<string, { readonly value: Value } & GradientView>();
	readonly #width: number;
	readonly #graph: GraphBuilder;
	readonly #model: ModelFiles;
	/** Shapes of the parameters in the vector: the trained ones, and the head if it is frozen. */
	readonly #given: ReadonlyMap<string, readonly number[]>;
	readonly #values = new Map<string, Value>();

	constructor(graph: GraphBuilder, model: ModelFiles, spec: TailSpec) {
		this.#graph = graph;
		this.#model = model;
		const { entries } = parameterLayout(spec, model.config);
		this.#width = model.config.n_embd;
		this.#given = new Map(entries.map(({ name, shape }) => [name, shape]));
	}

	weight(name: string): Value {
		const value = this.#values.get(name) ?? this.#declare(name);
		this.#values.set(name, value);
		return value;
	}

	/**
	 * Makes the gradients of the trained parameters outputs of the graph. Products of factors that are output aren't
	 * needed, so `build` leaves them out.
	 * @returns the shapes of the dense gradients, by the parameter's name
	 */
	outputGradients({ dense, factors, table }: GradientForm): Map<string, readonly number[]> {
		const views = new Map<string, readonly number[]>();
		for (const { name } of dense) {
			const { value, view = this.#given.get(name) ?? [] } = this.#gradientOf(name);
			this.#graph.output(gradientName(name), value, "float32", view);
			views.set(name, view);
		}
		for (const block of factors) {
			const values = this.#gradientOf(block.name).factors?.[block.index];
			if (!values) throw new TailtuneError("engine", `onnx: no factors for ${block.name}, expected one row per text`);
			const output = (side: "left" | "right", numbers: number) =>
				this.#graph.output(factorName(block, side), values[side], "float32", factorShape(block, "texts", numbers));
			output("left", block.rows);
			output("right", block.columns);
		}
		const hidden = this.gradients.get("hidden");
		if (table && hidden) {
			this.#graph.output(HIDDEN_GRADIENT, hidden.value, "float32", ["rows", this.#width]);
		}
		return views;
	}

	#gradientOf(name: string) {
		const gradient = this.gradients.get(name);
		if (gradient) return gradient;
		throw new TailtuneError("engine", `onnx: no gradient for ${name}, expected one for each trained parameter`);
	}

	#declare(name: string): Value {
		const shape = this.#given.get(name);
		if (shape) return this.#graph.input(name, "float32", shape);
		return this.#graph.stored(name, storedTensor(this.#model.tensors, name));
	}
}
