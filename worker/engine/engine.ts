import type { Sequence, TailSpec } from "../../shared/messages.ts";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import type { TrunkPrecision } from "../../shared/model/trunk-precision.ts";
import type { GradientForm } from "../../shared/updates/gradient-form.ts";
import type { EngineChoice } from "../../shared/worker-port/engine-choice.ts";

/** The library that computes, and its device. */
export interface EngineInfo {
	/** "onnx" or "tfjs". */
	readonly engine: string;
	/** For example "cpu", "wasm" or "tensorflow". */
	readonly backend: string;
	readonly device: string;
	/** Whether the device is a GPU; default: false. */
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
	 * Computes the hidden states at the cut: the input of the first trainable block, or of the final norm if only the
	 * head is trained.
	 * @param sequences token ids of each text, at least one per text
	 * @returns one Float32Array [tokens, width] per text, in the same order, each with its own memory
	 */
	hiddenStates(sequences: readonly Uint32Array[]): Promise<Float32Array[]>;
	dispose(): Promise<void>;
}

/** One text as input of a tail: its features, or its token ids if the cut is 0. */
export interface TailInput {
	/** [rows, width]; empty if the cut is 0. */
	readonly hidden: Float32Array;
	/** Used if the cut is 0. */
	readonly tokens: Uint32Array;
	/** The classifier reads the mean of the final states of rows [poolFrom, poolFrom + poolCount). */
	readonly poolFrom: number;
	readonly poolCount: number;
	/**
	 * [classes]: the loss is -sum_c t_c log softmax(logits)_c, or with a loss of several labels the mean over the classes
	 * of the binary cross-entropy of sigmoid(logits)_c and t_c. Only `gradient` uses it.
	 */
	readonly targets: Float32Array;
}

/** The blocks after the cut, the final norm and the head. */
export interface Tail {
	readonly info: EngineInfo;
	/**
	 * Loads the parameter vector, laid out by `parameterLayout`. It is read in place until the next call, which saves a
	 * copy of 28 MB per step: don't write to it during a computation, and load it again after you have written to it.
	 */
	load(parameters: Float32Array): Promise<void>;
	/** Computes the logits [inputs, classes], row-major. */
	logits(inputs: readonly TailInput[]): Promise<Float32Array>;
	/**
	 * Computes the logits, and writes the gradient of the mean loss of the inputs with respect to the trained parameters
	 * to `gradient`, in the given form.
	 * @param form if it has factors, the head must read one row of every text
	 * @param gradient of length `gradientLength(form, inputs.length, rowsOfTexts(form, inputs).length)`
	 * @throws TailtuneError "engine" if inputs or length don't fit the form
	 */
	gradient(inputs: readonly TailInput[], form: GradientForm, gradient: Float32Array): Promise<Float32Array>;
	dispose(): Promise<void>;
}

/** The engines of one run. */
export interface Engines {
	/** Undefined if the cut is 0: the tail then starts from tokens. */
	readonly trunk?: Trunk | undefined;
	readonly tail: Tail;
}

/** Descriptions of the engines of a run. */
export interface EngineInfos {
	readonly trunk: EngineInfo;
	readonly tail: EngineInfo;
}

export interface EngineOptions {
	/** Compute threads; an engine may use fewer. */
	readonly threads: number;
	/** Device or implementation; an engine ignores the backends of other engines. Default: the engine chooses. */
	readonly backend?: EngineChoice["backend"];
}

export interface TrunkOptions extends EngineOptions {
	/** Number format of the matrix products; default: fp32. */
	readonly trunkPrecision?: TrunkPrecision | undefined;
}

export type OpenTrunk = (model: ModelFiles, spec: TailSpec, options: TrunkOptions) => Promise<Trunk>;
export type OpenTail = (model: ModelFiles, spec: TailSpec, options: EngineOptions) => Promise<Tail>;

/** Converts a message's sequence to the token ids that engines take. */
export function toTokens(sequence: Pick<Sequence, "tokens">): Uint32Array {
	return Uint32Array.from(sequence.tokens);
}
