import type { TailSpec } from "../../../shared/messages.ts";
import type { ModelFiles } from "../../../shared/model/model-files.ts";
import type { SentError } from "../../../shared/sent-error.ts";
import type { GradientForm } from "../../../shared/updates/gradient-form.ts";
import type { EngineChoice } from "../../../shared/worker-port/engine-choice.ts";
import type { EngineInfo, EngineInfos, Engines } from "../engine.ts";
import type { RunEngineChoice } from "../open-engines.ts";
import type { PackedInputs } from "./packed-inputs.ts";
import type { SentVector } from "./sent-vector.ts";

/** The module that opens engines in the thread: `open-engines.ts`, or a fake one in tests. */
export interface EnginesModule {
	openEngines(model: ModelFiles, spec: TailSpec, choice: RunEngineChoice): Promise<Engines>;
	describeEngines(choice: EngineChoice): Promise<EngineInfos>;
}

/** The data that the thread gets at its start: the URL of its `EnginesModule`. */
export interface ThreadData {
	readonly enginesModule: string;
}

/** The engines of one run in the thread: their number, and their descriptions. */
export interface OpenedSession {
	readonly session: number;
	readonly trunk: EngineInfo | undefined;
	readonly tail: EngineInfo;
}

/** The calls to the thread. Arguments and results are cloned, except arrays that are moved or shared as noted. */
export interface EngineCalls {
	describe(choice: EngineChoice): EngineInfos;
	/** @param folder of the model. The thread opens it again, which reads the headers and hashes nothing. */
	open(folder: string, spec: TailSpec, choice: RunEngineChoice): OpenedSession;
	/** Moves the states. */
	hiddenStates(session: number, sequences: readonly Uint32Array[]): Float32Array[];
	load(session: number, parameters: SentVector): void;
	/** Moves the inputs' hidden states. */
	logits(session: number, inputs: PackedInputs): Float32Array;
	/** Does the same as `logits`, and writes the gradient to `gradient`. */
	gradient(session: number, inputs: PackedInputs, form: GradientForm, gradient: SentVector): Float32Array;
	disposeTrunk(session: number): void;
	disposeTail(session: number): void;
}

export type CallName = keyof EngineCalls;

export interface Call<Name extends CallName = CallName> {
	readonly id: number;
	readonly name: Name;
	readonly args: Parameters<EngineCalls[Name]>;
}

export type Reply =
	| { readonly id: number; readonly result: unknown }
	| { readonly id: number; readonly error: SentError };

/** Returns the memory of arrays, to be moved rather than cloned. */
export function memoryOf(arrays: readonly Float32Array[]): ArrayBuffer[] {
	return arrays.flatMap(({ buffer }) => (buffer instanceof ArrayBuffer ? [buffer] : []));
}
