import type { Gpt2Config } from "../../../shared/model/gpt2-config.ts";
import type { GraphBuilder, Value } from "./graph-builder.ts";

/** A part of the forward pass together with the corresponding part of the backward pass. */
export interface Pass {
	readonly value: Value;
	/**
	 * Returns the loss's gradient with respect to the input, given that with respect to `value`. Registers the weights'
	 * gradients.
	 */
	back(gradient: Value): Value;
}

/** The factors of a block of a weight's gradient: rows [texts, numbers], or of each head [texts, heads, numbers]. */
export interface FactorValues {
	readonly left: Value;
	readonly right: Value;
}

/** Details of a registered gradient. */
export interface GradientView {
	/** Shape of the value; it holds the numbers in the order of the parameter. Default: the parameter's shape. */
	readonly view?: readonly number[];
	/** Factors of the value, in the order of `GradientForm`, which decides what is computed. Default: none. */
	readonly factors?: readonly FactorValues[];
}

/** Graph, sizes and weights that all passes of a tail use. */
export interface TailContext {
	readonly graph: GraphBuilder;
	readonly width: number;
	readonly heads: number;
	readonly config: Gpt2Config;
	weight(name: string): Value;
	/** Factor on x A B in linear layers with a LoRA pair; undefined if no layer has one. */
	readonly loraScale: number | undefined;
	readonly loraRank: number;
	/** Registers a parameter's gradient. */
	setGradient(name: string, value: Value, how?: GradientView): void;
}
