import type { Gpt2Config } from "./gpt2-config.ts";

export type StoredType = "F32" | "F16" | "BF16";

/** Where a tensor lies: raw little-endian numbers in a file, row-major. */
export interface StoredTensor {
	/** Absolute path, links resolved. */
	readonly file: string;
	readonly type: StoredType;
	readonly shape: readonly number[];
	/** First byte in the file, and number of bytes. */
	readonly offset: number;
	readonly byteLength: number;
}

/** An opened and checked model folder. Tensor names are Hugging Face's without the `transformer.` prefix. */
export interface ModelFiles {
	readonly folder: string;
	readonly config: Gpt2Config;
	/** Names of the head's classes, by row of `score.weight`; unset if there is no head, or no name for each of its rows. */
	readonly labels?: readonly string[] | undefined;
	/** All tensors of a GPT-2 (`baseShapes`), and `score.weight` and `score.bias` where the folder has them; no others. */
	readonly tensors: ReadonlyMap<string, StoredTensor>;
	/** sha256 over the tensors' bytes in name order with names, types and shapes; hexadecimal. Read once, then remembered. */
	hash(): Promise<string>;
	/**
	 * Throws TailtuneError "model" naming a tensor that holds NaN or infinity. Shares its reading of the files with
	 * `hash()`: whoever asks for both waits for one of them.
	 */
	checkFinite(): Promise<void>;
	/** A whole tensor as float32. Throws TailtuneError "model" where there is none of that name. */
	read(name: string): Promise<Float32Array>;
}
