import type { Gpt2Config } from "./gpt2-config.ts";

export type StoredType = "F32" | "F16" | "BF16" | "F64";

/** Location of a tensor in a file: raw little-endian numbers, row-major. */
export interface StoredTensor {
	/** Absolute path, links resolved. */
	readonly file: string;
	readonly type: StoredType;
	readonly shape: readonly number[];
	/** Position of the first byte in the file. */
	readonly offset: number;
	readonly byteLength: number;
}

/** An opened and checked model folder. Tensors have Hugging Face's names without prefixes such as `transformer.`. */
export interface ModelFiles {
	readonly folder: string;
	readonly config: Gpt2Config;
	/** Names of the head's classes, by row of `score.weight`; unset if there is no head, or not one name per row. */
	readonly labels?: readonly string[] | undefined;
	/** All tensors of a GPT-2 (`baseShapes`), and `score.weight` and `score.bias` if the folder has them; no others. */
	readonly tensors: ReadonlyMap<string, StoredTensor>;
	/**
	 * SHA-256 over the configuration, and names, types, shapes and bytes of the tensors, in name order; hexadecimal.
	 * Computed once.
	 */
	hash(): Promise<string>;
	/**
	 * Throws TailtuneError "model" that names a tensor with NaN or infinity. `hash()` and `checkFinite()` share one
	 * reading of the files.
	 */
	checkFinite(): Promise<void>;
	/** Reads a whole tensor as float32. Throws TailtuneError "model" if there is none of that name. */
	read(name: string): Promise<Float32Array>;
}
