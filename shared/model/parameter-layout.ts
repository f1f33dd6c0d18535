import type { TailSpec } from "../messages.ts";
import type { Gpt2Config } from "./gpt2-config.ts";
import { countFrozenBlocks } from "./tail-spec.ts";
import { innerWidth } from "./variant.ts";

/** A tensor in the parameter vector. */
export interface ParameterEntry {
	/** Hugging Face's name; LoRA pairs for example `h.0.attn.c_attn.q.lora_A`. */
	readonly name: string;
	readonly shape: readonly number[];
	/** Index of the first element in the vector. */
	readonly offset: number;
	/** Number of elements. */
	readonly size: number;
}

/**
 * The layout of the parameter vector: one flat Float32Array that is sent, updated and saved as a whole. The first
 * `trainedSize` elements have gradients. The others don't change: a head that stays frozen with LoRA is sent too,
 * because no model file contains it.
 */
export interface ParameterLayout {
	readonly entries: readonly ParameterEntry[];
	readonly trainedSize: number;
	readonly size: number;
}

type Shapes = [name: string, shape: number[]][];

/** Returns the layout of the parameters of a tail, for a model of the given shape. */
export function parameterLayout(spec: TailSpec, config: Gpt2Config): ParameterLayout {
	const head = headShapes(spec, config);
	switch (spec.trainable) {
		case "TRAINABLE_HEAD":
			return layOut(head);
		case "TRAINABLE_LORA":
			return layOut([...loraShapes(spec, config), ...head]);
		case "TRAINABLE_LORA_ONLY":
			return layOut(loraShapes(spec, config), head);
		case "TRAINABLE_ALL":
			return layOut([...embeddingShapes(config), ...blocksFrom(0, config), ...finalNormShapes(config), ...head]);
		default:
			return layOut([
				...blocksFrom(countFrozenBlocks(spec, config.n_layer), config),
				...finalNormShapes(config),
				...head,
			]);
	}
}

/** Returns a view of each tensor of the vector, by name: writing to a view writes to the vector. */
export function parameterViews(layout: ParameterLayout, vector: Float32Array): Map<string, Float32Array> {
	return new Map(layout.entries.map(({ name, offset, size }) => [name, vector.subarray(offset, offset + size)]));
}

/** Returns names and shapes of all tensors of one block, in file order. Linear weights are [in, out]. */
export function blockShapes(block: number, config: Gpt2Config): Shapes {
	const { n_embd: width } = config;
	const inner = innerWidth(config);
	return [
		[`h.${block}.ln_1.weight`, [width]],
		[`h.${block}.ln_1.bias`, [width]],
		[`h.${block}.attn.c_attn.weight`, [width, 3 * width]],
		[`h.${block}.attn.c_attn.bias`, [3 * width]],
		[`h.${block}.attn.c_proj.weight`, [width, width]],
		[`h.${block}.attn.c_proj.bias`, [width]],
		[`h.${block}.ln_2.weight`, [width]],
		[`h.${block}.ln_2.bias`, [width]],
		[`h.${block}.mlp.c_fc.weight`, [width, inner]],
		[`h.${block}.mlp.c_fc.bias`, [inner]],
		[`h.${block}.mlp.c_proj.weight`, [inner, width]],
		[`h.${block}.mlp.c_proj.bias`, [width]],
	];
}

/** Returns names and shapes of all tensors of a GPT-2 without a head: a model folder must contain them. */
export function baseShapes(config: Gpt2Config): Shapes {
	return [...embeddingShapes(config), ...blocksFrom(0, config), ...finalNormShapes(config)];
}

/** Returns whether a parameter is one of the two embedding tables. */
export function isEmbedding(name: string): boolean {
	return name === "wte.weight" || name === "wpe.weight";
}

function embeddingShapes({ vocab_size, n_positions, n_embd }: Gpt2Config): Shapes {
	return [
		["wte.weight", [vocab_size, n_embd]],
		["wpe.weight", [n_positions, n_embd]],
	];
}

function blocksFrom(first: number, config: Gpt2Config): Shapes {
	return Array.from({ length: config.n_layer - first }, (_, i) => blockShapes(first + i, config)).flat();
}

function finalNormShapes({ n_embd }: Gpt2Config): Shapes {
	return [
		["ln_f.weight", [n_embd]],
		["ln_f.bias", [n_embd]],
	];
}

/** The head is stored as in PyTorch: [classes, width]. */
function headShapes({ classes }: TailSpec, { n_embd }: Gpt2Config): Shapes {
	return [
		["score.weight", [classes, n_embd]],
		["score.bias", [classes]],
	];
}

/** One LoRA pair per linear layer, the head included; query, key and value have one pair each. */
function loraShapes({ loraRank: rank, classes }: TailSpec, config: Gpt2Config): Shapes {
	const { n_layer, n_embd: width } = config;
	const inner = innerWidth(config);
	const pair = (name: string, inputs: number, outputs: number): Shapes => [
		[`${name}.lora_A`, [inputs, rank]],
		[`${name}.lora_B`, [rank, outputs]],
	];
	const blocks = Array.from({ length: n_layer }, (_, i) => [
		...["q", "k", "v"].flatMap((part) => pair(`h.${i}.attn.c_attn.${part}`, width, width)),
		...pair(`h.${i}.attn.c_proj`, width, width),
		...pair(`h.${i}.mlp.c_fc`, width, inner),
		...pair(`h.${i}.mlp.c_proj`, inner, width),
	]).flat();
	return [...blocks, ...pair("score", width, classes)];
}

function layOut(trained: Shapes, frozen: Shapes = []): ParameterLayout {
	const entries: ParameterEntry[] = [];
	let offset = 0;
	for (const [name, shape] of [...trained, ...frozen]) {
		const size = shape.reduce((product, n) => product * n, 1);
		entries.push({ name, shape, offset, size });
		offset += size;
	}
	const frozenSize = entries.slice(trained.length).reduce((sum, { size }) => sum + size, 0);
	return { entries, trainedSize: offset - frozenSize, size: offset };
}
