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

/** Graph, sizes and weights that all passes of a tail use. */
export interface TailContext {
	readonly graph: GraphBuilder;
	readonly width: number;
	readonly heads: number;
	/** Added to the variance in layer normalisation. */
	readonly epsilon: number;
	weight(name: string): Value;
	/** Factor on x A B in linear layers with a LoRA pair; undefined if no layer has one. */
	readonly loraScale: number | undefined;
	readonly loraRank: number;
	/** Registers a weight's gradient, in the weight's shape or in another view of the same numbers. */
	setGradient(name: string, value: Value, view?: readonly number[]): void;
}
