import type { WorkItem } from "../messages.ts";
import type { TensorSchema } from "./tensor-schema.ts";

/**
 * What both sides do before and after the tensors of a run. The exchange between hosts refuses tensors of runs that
 * aren't open, and of another schema; the one in memory has nothing to check.
 */
export interface TensorRuns {
	/**
	 * Says what tensors of a run look like; the same again changes nothing.
	 * @throws TailtuneError "protocol" where the run is open with another schema
	 */
	openRun(runId: string, schema: TensorSchema): void;
	/** Forgets the run and everything kept for it. */
	closeRun(runId: string): void;
}

/** The item that a gradient is of. */
export type GradientName = Pick<WorkItem, "kind" | "parameterVersion" | "part">;

/** How a worker gets the trainable parameters and hands in gradients. In memory now; gRPC streams between hosts. */
export interface WorkerTensors extends TensorRuns {
	/**
	 * The parameter vector of a version, rounded to the run's wire format, in the order of the run's parameter layout. Not to be written to, and of no use
	 * once the version after it is asked for.
	 */
	parameters(runId: string, version: number): Promise<Float32Array>;
	/** An array to write a gradient to, holding anything: reused, since 28 MB of fresh memory cost 20 ms in page faults. */
	gradientBuffer(runId: string, length: number): Float32Array;
	/**
	 * Hands in the gradient of an item, before its result is answered on the bus, rounded to the run's wire format. The array is the exchange's from here
	 * on. One of a version that isn't readable (any more) is dropped: nobody waits for it.
	 */
	putGradient(runId: string, item: GradientName, gradient: Float32Array): Promise<void>;
}

/** The coordinator's side of the same exchange. */
export interface CoordinatorTensors extends TensorRuns {
	/**
	 * Makes a version readable: workers keep it, so a version's numbers are always the same. The version before it stays readable until it is dropped. The array isn't copied: not
	 * to be written to while it is readable.
	 */
	publishParameters(runId: string, version: number, parameters: Float32Array): Promise<void>;
	/**
	 * Gives the exchange arrays for gradients to be received in, each of a gradient's length: new ones, or those taken that
	 * are done with. They are the exchange's from here on, and the last given is the first used.
	 */
	lendGradientBuffers(runId: string, buffers: readonly Float32Array[]): void;
	/** Ends the reading of a version and forgets gradients of it that were not taken. */
	dropParameters(runId: string, version: number): Promise<void>;
	/** Whether a gradient was handed in under that key and not taken. */
	hasGradient(runId: string, itemKey: string): boolean;
	/**
	 * Takes a gradient handed in, by the item's `itemKey`, once; undefined where there is none under that key. The array
	 * is lent until the next one of the run is taken, or until it is given back.
	 */
	takeGradient(runId: string, itemKey: string): Promise<Float32Array | undefined>;
}
