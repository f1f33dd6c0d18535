import type { Activation } from "./activation.ts";
import type { Gpt2Config } from "./gpt2-config.ts";

/** Returns a model's activation. */
export function activationOf({ activation_function = "gelu_new" }: Gpt2Config): Activation {
	return activation_function;
}

/** Returns the width between the two layers of an MLP. */
export function innerWidth({ n_embd, n_inner = 4 * n_embd }: Gpt2Config): number {
	return n_inner;
}

/** Returns the factor on a block's attention scores. @param block number of the block, from 0 */
export function attentionScale(config: Gpt2Config, block: number): number {
	const { n_embd, n_head, scale_attn_weights = true, scale_attn_by_inverse_layer_idx = false } = config;
	const byWidth = scale_attn_weights ? 1 / Math.sqrt(n_embd / n_head) : 1;
	return scale_attn_by_inverse_layer_idx ? byWidth / (block + 1) : byWidth;
}
