import { TailtuneError } from "../../shared/errors.ts";
import { takeArray } from "../../shared/exchange/take-array.ts";
import type { AnswerReceiver, CoordinatorTensors, WorkerTensors } from "../../shared/exchange/tensor-exchange.ts";
import { assertSameSchema, type TensorSchema } from "../../shared/exchange/tensor-schema.ts";
import { roundTo } from "../../shared/exchange/wire-format.ts";
import { isUnwanted } from "../../shared/rpc/refusal.ts";

interface Published {
	readonly parameters: Float32Array;
	/** Rounded to the wire format; made at the first request. */
	rounded?: Float32Array;
}

/** Data of an open run. */
interface RunTensors {
	readonly schema: TensorSchema;
	answers?: AnswerReceiver | undefined;
	readonly parameters: Map<number, Published>;
	/** Gradient arrays for the next items. */
	readonly free: Float32Array[];
	/** Arrays for the rounded parameters of the next versions. */
	readonly freeRounded: Float32Array[];
}

/** Numbers of arrays that an exchange keeps, for tests that memory is released. */
export interface HeldTensors {
	/** Parameter versions. */
	readonly parameters: number;
	/** Arrays for the next gradients. */
	readonly free: number;
}

export interface MemoryTensors extends CoordinatorTensors, WorkerTensors {
	openRun(runId: string, schema: TensorSchema, answers?: AnswerReceiver): void;
	held(runId: string): HeldTensors;
}

/**
 * Creates a tensor exchange within one process. Both sides use the same arrays; numbers are copied only if the run's
 * wire format rounds them.
 */
export function createMemoryTensors(): MemoryTensors {
	return new InProcessExchange();
}

class InProcessExchange implements MemoryTensors {
	readonly #runs = new Map<string, RunTensors>();

	openRun(runId: string, schema: TensorSchema, answers?: AnswerReceiver): void {
		const open = this.#runs.get(runId);
		if (open) {
			assertSameSchema(runId, open.schema, schema);
			open.answers ??= answers;
		} else this.#runs.set(runId, { schema, answers, parameters: new Map(), free: [], freeRounded: [] });
	}

	closeRun(runId: string): void {
		this.#runs.delete(runId);
	}

	async publishParameters(runId: string, version: number, parameters: Float32Array): Promise<void> {
		this.#open(runId).parameters.set(version, { parameters });
	}

	async dropParameters(runId: string, version: number): Promise<void> {
		const run = this.#runs.get(runId);
		const dropped = run?.parameters.get(version);
		if (dropped?.rounded) run?.freeRounded.push(dropped.rounded);
		run?.parameters.delete(version);
	}

	lendGradientBuffers(runId: string, buffers: readonly Float32Array[]): void {
		this.#open(runId).free.push(...buffers);
	}

	async parameters(runId: string, version: number): Promise<Float32Array> {
		const run = this.#runs.get(runId);
		const published = run?.parameters.get(version);
		if (!run || !published) throw new TailtuneError("protocol", `run ${runId} has no parameters of version ${version}`);
		const { parameters } = published;
		const { wire } = run.schema;
		if (wire === "f32") return parameters;
		if (!published.rounded) {
			published.rounded = run.freeRounded.pop() ?? new Float32Array(parameters.length);
			roundTo(wire, parameters, published.rounded);
		}
		return published.rounded;
	}

	gradientBuffer(runId: string, length: number): Float32Array {
		return takeArray(this.#runs.get(runId)?.free, length);
	}

	async putAnswer(answer: Parameters<WorkerTensors["putAnswer"]>[0]): Promise<void> {
		const { result, tensor } = answer;
		const run = this.#runs.get(result.runId);
		try {
			if (run && tensor) roundTo(run.schema.wire, tensor, tensor);
			run?.answers?.accept(answer);
		} catch (error) {
			if (tensor) run?.free.push(tensor);
			if (!isUnwanted(error)) throw error;
		}
	}

	held(runId: string): HeldTensors {
		const run = this.#runs.get(runId);
		return { parameters: run?.parameters.size ?? 0, free: run?.free.length ?? 0 };
	}

	#open(runId: string): RunTensors {
		const run = this.#runs.get(runId);
		if (!run) throw new TailtuneError("protocol", `run ${runId} is not open`);
		return run;
	}
}
