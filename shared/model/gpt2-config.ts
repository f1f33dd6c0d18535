import { join } from "node:path";
import { z } from "zod";
import { checkValue } from "../check-value.ts";
import { TailtuneError } from "../errors.ts";
import { readJson } from "../files/json-file.ts";
import { ACTIVATION_BY_NAME, type Activation, type ActivationName } from "./activation.ts";

/** The shape of a GPT-2, with the names of a Hugging Face `config.json`. */
export interface Gpt2Config {
	readonly n_layer: number;
	readonly n_embd: number;
	readonly n_head: number;
	/** Context: maximum number of tokens of a text. */
	readonly n_positions: number;
	readonly vocab_size: number;
	readonly layer_norm_epsilon: number;
	/** Numbers between the two layers of an MLP; unset: four times `n_embd`. See `innerWidth`. */
	readonly n_inner?: number;
	/** Unset: gelu_new. See `activationOf`. */
	readonly activation_function?: Activation;
	/** False: attention scores are not divided by the root of a head's width; unset: true. See `attentionScale`. */
	readonly scale_attn_weights?: false;
	/** True: scores are also divided by the number of the block, from 1; unset: false. */
	readonly scale_attn_by_inverse_layer_idx?: true;
}

const size = (standard: number) => z.int().min(1).default(standard);

/** The defaults are those of transformers' GPT2Config, which writes only values that differ from them. */
const configSchema = z.object({
	model_type: z.literal("gpt2"),
	n_layer: size(12),
	n_embd: size(768),
	n_head: size(12),
	n_positions: z.int().min(1).optional(),
	n_ctx: z.int().min(1).optional(),
	vocab_size: size(50257),
	layer_norm_epsilon: z.number().positive().default(1e-5),
	n_inner: z.int().min(1).nullish(),
	activation_function: z.enum(Object.keys(ACTIVATION_BY_NAME) as ActivationName[]).default("gelu_new"),
	scale_attn_weights: z.boolean().default(true),
	scale_attn_by_inverse_layer_idx: z.boolean().default(false),
	// Changes only the order of roundings, and only below float32.
	reorder_and_upcast_attn: z.boolean().default(false),
	add_cross_attention: z.literal(false).default(false),
	id2label: z.unknown().optional(),
});

/** The content of a model folder's `config.json`. */
export interface ModelConfig {
	readonly config: Gpt2Config;
	/** Names of `id2label`, in the order of their ids 0, 1, ...; unset unless they are distinct strings. */
	readonly labels?: readonly string[] | undefined;
}

/**
 * Reads and checks the `config.json` of a model folder.
 * @throws TailtuneError "not-found" if there is none, "model" if it isn't that of a GPT-2 variant that we support
 */
export async function readGpt2Config(folder: string): Promise<ModelConfig> {
	const file = join(folder, "config.json");
	const found = checkValue(configSchema, await readJson(file), file, "model");
	const { n_embd, n_head } = found;
	if (n_embd % n_head !== 0) {
		throw new TailtuneError("model", `${file}: n_embd: found ${n_embd}, expected a multiple of n_head (${n_head})`);
	}
	return { config: toConfig(found), labels: labelsOf(found.id2label) };
}

/** Leaves out settings that have their default, so that equal models have equal configurations. */
function toConfig(file: z.infer<typeof configSchema>): Gpt2Config {
	const { n_layer, n_embd, n_head, vocab_size, layer_norm_epsilon, n_inner } = file;
	const activation = ACTIVATION_BY_NAME[file.activation_function];
	return {
		...{ n_layer, n_embd, n_head, n_positions: file.n_positions ?? file.n_ctx ?? 1024, vocab_size, layer_norm_epsilon },
		...(n_inner != null && n_inner !== 4 * n_embd && { n_inner }),
		...(activation !== "gelu_new" && { activation_function: activation }),
		...(!file.scale_attn_weights && { scale_attn_weights: false }),
		...(file.scale_attn_by_inverse_layer_idx && { scale_attn_by_inverse_layer_idx: true }),
	};
}

const namesSchema = z.record(z.string(), z.string());

function labelsOf(id2label: unknown): string[] | undefined {
	const names = namesSchema.safeParse(id2label);
	if (!names.success) return undefined;
	const labels = Object.keys(names.data).flatMap((_, number) => names.data[number] ?? []);
	return new Set(labels).size === Object.keys(names.data).length ? labels : undefined;
}
