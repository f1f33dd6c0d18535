import * as tf from "@tensorflow/tfjs";
import type { FactorBlock, Factors } from "../../../shared/updates/gradient-form.ts";
import { slotNames } from "./slots.ts";

type Side = "left" | "right";

/** A block whose factors are recorded. */
interface Recorded {
	/** The factor that is the gradient of a product; the other one is a value of the forward pass. */
	readonly gradientSide: Side;
	/** Numbers of the gradient. */
	readonly size: number;
	zeros?: tf.Tensor;
	value?: tf.Tensor;
}

/**
 * Records the factors of weights' gradients, so that the gradients themselves, which are large, are never computed.
 * Zeros are added to the product of x and a weight: the loss's gradient with respect to them is that with respect to
 * the product, which is one factor. The other one is x.
 */
export class FactorRecorder {
	readonly #recorded: ReadonlyMap<string, Recorded>;

	/** @param texts of the batch */
	constructor(blocks: readonly FactorBlock[], texts: number) {
		this.#recorded = new Map(blocks.map((block) => [slotNameOf(block), toRecorded(block, texts)]));
	}

	/** Makes the zeros, in the order of the blocks, before the forward pass. */
	makeZeros(): tf.Tensor[] {
		return [...this.#recorded.values()].map((own) => {
			own.zeros = tf.zeros([own.size]);
			return own.zeros;
		});
	}

	/** The values that the products were computed from, in the order of the blocks. The caller must dispose of them. */
	get values(): tf.Tensor[] {
		return [...this.#recorded.values()].flatMap(({ value }) => value ?? []);
	}

	/**
	 * Keeps x and adds the zeros to a product of x and a weight, if the weight's factors are recorded.
	 * @param slot name of the weight
	 */
	record(slot: string, x: tf.Tensor, product: tf.Tensor): tf.Tensor {
		const own = this.#recorded.get(slot);
		if (!own?.zeros) return product;
		own.value = tf.keep(x);
		return product.add(own.zeros.reshape(product.shape));
	}

	/**
	 * Copies factors to their places.
	 * @param found the gradients of the zeros and then `values`, read from the device; those that are used are removed
	 */
	write(factors: readonly Factors[], found: Float32Array[]): void {
		const sides = [...this.#recorded.values()].map(({ gradientSide }) => gradientSide);
		for (const [i, side] of sides.entries()) factors[i]?.[side].set(found.shift() as Float32Array);
		const values = found.splice(-sides.length, sides.length);
		for (const [i, side] of sides.entries())
			factors[i]?.[side === "left" ? "right" : "left"].set(values[i] as Float32Array);
	}
}

function slotNameOf({ name, index }: FactorBlock): string {
	return slotNames(name)[index] as string;
}

function toRecorded(block: FactorBlock, texts: number): Recorded {
	// The key's weight is multiplied with the query, and the head's weight is stored as [outputs, inputs].
	const isSwapped = block.index === 1 || block.name === "score.weight";
	const gradientSide = isSwapped ? "left" : "right";
	const numbers = isSwapped ? block.rows : block.columns;
	return { gradientSide, size: texts * block.heads * numbers };
}
