import type { UpdatePart } from "../../proto/gen/tailtune/v1/UpdatePart.ts";
import type { WorkResult } from "../messages.ts";
import type { StateVectors, Update } from "../updates/updatable-state.ts";
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

/** An item that waits for an answer. */
export interface ExpectedAnswer {
	/** Version of the parameters with which the answer has to be computed; undefined if it needs none. */
	readonly version: number | undefined;
	/** Aborts, with a Refusal as reason, when the item is no longer waiting. */
	readonly over: AbortSignal;
}

/** Checks and counts the answers of a run. */
export interface AnswerReceiver {
	/**
	 * Checks an answer before its numbers are received.
	 * @throws Refusal if the item isn't waiting, or if the sizes don't fit the item
	 */
	expect(result: WorkResult, sizes: AnswerSizes): ExpectedAnswer;
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
	 * Returns the parameter vector of the coordinator's current version, in the order of the run's parameter layout. It
	 * is read-only, and valid until another version is requested or the coordinator takes the next step. For one version
	 * the array is the same object for as long as its numbers are the same.
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

/** A state that workers compute with. AdamW's moments are needed to apply updates to it. */
export type PublishedState = Pick<StateVectors, "parameters"> & Partial<StateVectors>;

/** Sends the parts of an update to all workers at once. Never throws: a worker reads updates that don't arrive. */
export type PublishUpdate = (parts: readonly UpdatePart[]) => void;

/** The coordinator's side of the exchange: it publishes a state and its updates, and receives answers. */
export interface CoordinatorTensors {
	/** Whether workers have copies of the state. Otherwise they read the coordinator's arrays. */
	readonly hasReplicas: boolean;
	/**
	 * Opens a run, whose answers are then accepted; opening it again with the same schema changes nothing.
	 * @param publish publishes the updates; default: each worker that has a copy of the state reads each update
	 * @throws TailtuneError "protocol" if the run is open with another schema
	 */
	openRun(runId: string, schema: TensorSchema, answers: AnswerReceiver, publish?: PublishUpdate): void;
	/** Closes the run and releases its memory. */
	closeRun(runId: string): void;
	/**
	 * Publishes the current state. The same version always has the same parameters. The arrays aren't copied, so don't
	 * write to them before the state is dropped.
	 */
	publishState(runId: string, version: number, state: PublishedState): Promise<void>;
	/** Drops a state: it can't be read any more. */
	dropState(runId: string, version: number): Promise<void>;
	/**
	 * Sends an update, which leads from the version published last to the next one. Its array may then change. If workers
	 * have copies of the state, they apply it at once; the coordinator may publish its own updated state later.
	 * @param isAnswer whether its numbers are those of one answer; then they aren't sent to the only worker, which has
	 *   them. Default: no
	 */
	publishUpdate(runId: string, update: Update, isAnswer?: boolean): Promise<void>;
	/**
	 * Gives arrays to the exchange, in which it receives gradients: new arrays, or those of processed answers. They then
	 * belong to the exchange; the last one given is used first, if it is long enough for the next gradient.
	 */
	lendGradientBuffers(runId: string, buffers: readonly Float32Array[]): void;
}
