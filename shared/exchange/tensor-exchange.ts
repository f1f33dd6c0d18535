import type { WorkResult } from "../messages.ts";
import type { TensorSchema } from "./tensor-schema.ts";

/** A worker's answer to an item. */
export interface Answer {
	/** Names the run, the item and the worker; holds the failure if the item could not be done. */
	readonly result: WorkResult;
	/** Row-major [sequences, classes]; empty for PREPARE and for a failure. */
	readonly logits: readonly number[];
	/** The gradient, or the change and both moments of local steps; undefined for all other kinds and for a failure. */
	readonly tensor?: Float32Array | undefined;
}

/** What is known of an answer before its numbers have arrived. */
export interface AnswerSizes {
	readonly logits: number;
	readonly tensor: number;
}

/** Checks and counts the answers of a run: the only place that knows which items wait for one. */
export interface AnswerReceiver {
	/**
	 * Checks an answer before its numbers are received.
	 * @returns aborts, with a Refusal as reason, when the item waits no longer
	 * @throws Refusal if nobody waits for it, or if its sizes aren't those that its item asks for
	 */
	expect(result: WorkResult, sizes: AnswerSizes): AbortSignal;
	/**
	 * Counts a whole answer, once for each item. Its tensor is the receiver's from here on.
	 * @throws Refusal as `expect`, or if a logit isn't finite; the tensor then stays the caller's
	 */
	accept(answer: Answer): void;
}

/** A worker's side of the exchange: it gets the trainable parameters and hands in its answers. */
export interface WorkerTensors {
	/**
	 * Says what tensors of a run look like; the same again changes nothing.
	 * @throws TailtuneError "protocol" if the run is open with another schema
	 */
	openRun(runId: string, schema: TensorSchema): void;
	/** Forgets the run and everything kept for it. */
	closeRun(runId: string): void;
	/**
	 * The parameter vector of a version, rounded to the run's wire format, in the order of the run's parameter layout. Not
	 * to be written to, and of no use once the version after it is asked for.
	 */
	parameters(runId: string, version: number): Promise<Float32Array>;
	/** An array to write a gradient to, holding anything: reused, since 28 MB of fresh memory cost 20 ms in page faults. */
	gradientBuffer(runId: string, length: number): Float32Array;
	/**
	 * Hands in an answer; its tensor is rounded to the run's wire format. The array is the exchange's from here on. Resolves
	 * when the coordinator has counted the answer, and also if nobody waits for it any more: the item is done with.
	 * @throws TailtuneError if the coordinator refuses the answer for another reason, or can't be reached
	 */
	putAnswer(answer: Answer): Promise<void>;
}

/** The coordinator's side of the same exchange. */
export interface CoordinatorTensors {
	/**
	 * Opens a run: from here on its answers are taken. The same again changes nothing.
	 * @throws TailtuneError "protocol" if the run is open with another schema
	 */
	openRun(runId: string, schema: TensorSchema, answers: AnswerReceiver): void;
	/** Forgets the run and everything kept for it. */
	closeRun(runId: string): void;
	/**
	 * Makes a version readable: workers keep it, so a version's numbers are always the same. The version before it stays
	 * readable until it is dropped. The array isn't copied: not to be written to while it is readable.
	 */
	publishParameters(runId: string, version: number, parameters: Float32Array): Promise<void>;
	/** Ends the reading of a version. */
	dropParameters(runId: string, version: number): Promise<void>;
	/**
	 * Gives the exchange arrays for gradients to be received in, each of a gradient's length: new ones, or those of answers
	 * that are done with. They are the exchange's from here on, and the last given is the first used.
	 */
	lendGradientBuffers(runId: string, buffers: readonly Float32Array[]): void;
}
