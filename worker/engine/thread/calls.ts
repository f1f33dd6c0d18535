import { TailtuneError } from "../../../shared/errors.ts";
import type { TailSpec } from "../../../shared/messages.ts";
import type { ModelFiles } from "../../../shared/model/model-files.ts";
import type { EngineChoice } from "../../../shared/worker-port.ts";
import type { EngineInfo } from "../engine.ts";
import type { Engines, RunEngineChoice } from "../open-engines.ts";
import type { PackedInputs } from "./packed-inputs.ts";

/** What opens engines in the thread: `open-engines.ts`, or what a test puts in its place. */
export interface EnginesModule {
	openEngines(model: ModelFiles, spec: TailSpec, choice: RunEngineChoice): Promise<Engines>;
	describeEngines(choice: EngineChoice): Promise<EngineInfos>;
}

/** The module's address, handed to the thread at its start. */
export interface ThreadData {
	readonly enginesModule: string;
}

/** What trunk and tail compute on. */
export interface EngineInfos {
	readonly trunk: EngineInfo;
	readonly tail: EngineInfo;
}

/** One run's engines in the thread. */
export interface OpenedSession {
	readonly session: number;
	readonly trunk: EngineInfo | undefined;
	readonly tail: EngineInfo;
}

/** All that is asked of the thread. Arguments and results are cloned, but for arrays that are said to be moved or shared. */
export interface EngineCalls {
	describe(choice: EngineChoice): EngineInfos;
	/** @param folder of the model, opened once more: headers are read, nothing is hashed */
	open(folder: string, spec: TailSpec, choice: RunEngineChoice): OpenedSession;
	/** The states are moved. */
	hiddenStates(session: number, sequences: readonly Uint32Array[]): Float32Array[];
	/** @param parameters in shared memory */
	load(session: number, parameters: Float32Array): void;
	/** The inputs' hidden states are moved. */
	logits(session: number, inputs: PackedInputs): Float32Array;
	/** As `logits`, and the gradient is written to `gradient`, in shared memory. */
	gradient(session: number, inputs: PackedInputs, gradient: Float32Array): Float32Array;
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

/** An error as it crosses: cloning would keep neither its class nor its code. */
export interface SentError {
	/** Undefined where it isn't a TailtuneError. */
	readonly code: TailtuneError["code"] | undefined;
	readonly message: string;
	readonly stack: string | undefined;
}

export function sendable(error: unknown): SentError {
	const code = error instanceof TailtuneError ? error.code : undefined;
	const { message, stack } = error instanceof Error ? error : new Error(String(error));
	return { code, message, stack };
}

/** The error again, with the stack that it had in the thread. */
export function received({ code, message, stack }: SentError): Error {
	const error = code === undefined ? new Error(message) : new TailtuneError(code, message);
	if (stack !== undefined) error.stack = stack;
	return error;
}

/** The memory of arrays that are moved rather than cloned. */
export function memoryOf(arrays: readonly Float32Array[]): ArrayBuffer[] {
	return arrays.flatMap(({ buffer }) => (buffer instanceof ArrayBuffer ? [buffer] : []));
}
