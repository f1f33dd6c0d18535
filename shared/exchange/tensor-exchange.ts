import type { WorkResult } from "../messages.ts";
import type { TensorSchema } from "./tensor-schema.ts";

/** A worker's answer to an item. */
export interface Answer {
	/** Names the run, the item and the worker; holds the failure if there was one. */
	readonly result: WorkResult;
	/** Row-major [sequences, classes]; empty for PREPARE and for a failure. */
	readonly logits: readonly number[];
	/** The gradient; undefined for other kinds and for a failure. */
	readonly tensor?: Float32Array | undefined;
}

/** Sizes of an answer, which are known before its numbers arrive. */
export interface AnswerSizes {
	readonly logits: number;
	readonly tensor: number;
}

/** Checks and counts the answers of a run. */
export interface AnswerReceiver {
	/**
	 * Checks an answer before its numbers are received.
	 * @returns a signal that aborts, with a Refusal as reason, when the item is no longer waiting
	 * @throws Refusal if the item isn't waiting, or if the sizes don't fit the item
	 */
	expect(result: WorkResult, sizes: AnswerSizes): AbortSignal;
	/**
	 * Counts a complete answer, once per item. Its tensor then belongs to the receiver.
	 * @throws Refusal as `expect`, or if a logit isn't finite; the tensor then still belongs to the caller
	 */
	accept(answer: Answer): void;
}

/** The worker's side of the exchange: it fetches the trainable parameters and sends answers. */
export interface WorkerTensors {
	/**
	 * Opens a run; opening it again with the same schema changes nothing.
	 * @throws TailtuneError "protocol" if the run is open with another schema
	 */
	openRun(runId: string, schema: TensorSchema): void;
	/** Closes the run and releases its memory. */
	closeRun(runId: string): void;
	/**
	 * Returns the parameter vector of a version, in the order of the run's parameter layout. It is read-only, and valid
	 * until another version is requested.
	 */
	parameters(runId: string, version: number): Promise<Float32Array>;
	/** Returns an array for a gradient, with any content. Reused: 28 MB of new memory cost 20 ms in page faults. */
	gradientBuffer(runId: string, length: number): Float32Array;
	/**
	 * Sends an answer; its tensor then belongs to the exchange. Resolves when the coordinator has counted the answer, and
	 * also if the item isn't waiting any more: in both cases it is finished.
	 * @throws TailtuneError if the coordinator refuses the answer for another reason, or can't be reached
	 */
	putAnswer(answer: Answer): Promise<void>;
}

/** The coordinator's side of the exchange: it publishes parameters and receives answers. */
export interface CoordinatorTensors {
	/**
	 * Opens a run, whose answers are then accepted; opening it again with the same schema changes nothing.
	 * @throws TailtuneError "protocol" if the run is open with another schema
	 */
	openRun(runId: string, schema: TensorSchema, answers: AnswerReceiver): void;
	/** Closes the run and releases its memory. */
	closeRun(runId: string): void;
	/**
	 * Publishes a version, whose numbers must never change because workers keep them. Earlier versions stay readable
	 * until they are dropped. The array isn't copied, so don't write to it before it is dropped.
	 */
	publishParameters(runId: string, version: number, parameters: Float32Array): Promise<void>;
	/** Drops a version: it can't be read any more. */
	dropParameters(runId: string, version: number): Promise<void>;
	/**
	 * Gives arrays to the exchange, in which it receives gradients: new arrays, or those of processed answers. Each has
	 * the length of a gradient. They then belong to the exchange; the last one given is used first.
	 */
	lendGradientBuffers(runId: string, buffers: readonly Float32Array[]): void;
}
