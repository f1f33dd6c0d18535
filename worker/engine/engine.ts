import type { Sequence, TailSpec } from "../../shared/messages.ts";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import type { TrunkPrecision } from "../../shared/model/trunk-precision.ts";
import type { EngineChoice } from "../../shared/worker-port.ts";

/** Which library computes, on what. */
export interface EngineInfo {
	/** "onnx" or "tfjs". */
	readonly engine: string;
	/** As in "cpu", "wasm", "tensorflow". */
	readonly backend: string;
	readonly device: string;
	/** Whether that is a GPU; absent: it isn't. */
	readonly isGpu?: boolean;
	readonly threads: number;
	readonly version: string;
	/** Why this engine computes although `auto` prefers another one. Unset: it is the preferred or the chosen one. */
	readonly fallbackReason?: string;
}

/** The frozen blocks before the cut. */
export interface Trunk {
	readonly info: EngineInfo;
	/**
	 * Hidden states at the cut (input of the first trainable block; before the final norm for the head alone).
	 * @param sequences token ids a text, of any lengths of at least 1
	 * @returns one Float32Array [tokens, width] a text, in the same order, each with memory of its own
	 */
	hiddenStates(sequences: readonly Uint32Array[]): Promise<Float32Array[]>;
	dispose(): Promise<void>;
}

/** What a tail computes on: the kept features of a text, or its token ids where the cut is 0. */
export interface TailInput {
	/** [rows, width]; empty where the cut is 0. */
	readonly hidden: Float32Array;
	/** Used where the cut is 0. */
	readonly tokens: Uint32Array;
	/** The classifier reads the mean of the final states of rows [poolFrom, poolFrom + poolCount). */
	readonly poolFrom: number;
	readonly poolCount: number;
	readonly label: number;
}

/** The blocks after the cut, the final norm and the head. */
export interface Tail {
	readonly info: EngineInfo;
	/**
	 * Takes the parameter vector, laid out by `parameterLayout`. It is read in place until the next call, so that 28 MB
	 * needn't be copied a step: not to be written to while something is computed, and to be loaded again after that.
	 */
	load(parameters: Float32Array): Promise<void>;
	/** Logits [inputs, classes], row-major. */
	logits(inputs: readonly TailInput[]): Promise<Float32Array>;
	/**
	 * Logits, and the gradient of the mean cross-entropy over the inputs with respect to the trained parameters,
	 * written to `gradient` in the order of the layout.
	 */
	gradient(inputs: readonly TailInput[], gradient: Float32Array): Promise<Float32Array>;
	dispose(): Promise<void>;
}

export interface EngineOptions {
	/** Compute threads; each engine uses as many of them as it can. */
	readonly threads: number;
	/** On what an engine computes that has several; each knows its own. */
	readonly backend?: EngineChoice["backend"];
}

export interface TrunkOptions extends EngineOptions {
	/** Numbers of the matrix products; default: fp32. */
	readonly trunkPrecision?: TrunkPrecision | undefined;
}

export type OpenTrunk = (model: ModelFiles, spec: TailSpec, options: TrunkOptions) => Promise<Trunk>;
export type OpenTail = (model: ModelFiles, spec: TailSpec, options: EngineOptions) => Promise<Tail>;

/** A message's sequence as the engines take it. */
export function toTokens(sequence: Sequence): Uint32Array {
	return Uint32Array.from(sequence.tokens);
}
