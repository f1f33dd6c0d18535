import { TailtuneError } from "../../shared/errors.ts";
import { releaseArrays, takeArray } from "../../shared/exchange/take-array.ts";
import type {
	AnswerReceiver,
	CoordinatorTensors,
	PublishedState,
	WorkerTensors,
} from "../../shared/exchange/tensor-exchange.ts";
import { assertSameSchema, type TensorSchema } from "../../shared/exchange/tensor-schema.ts";
import { isUnwanted } from "../../shared/rpc/refusal.ts";

/** Data of an open run. */
interface RunTensors {
	readonly schema: TensorSchema;
	answers?: AnswerReceiver | undefined;
	/** By version. */
	readonly parameters: Map<number, Float32Array>;
	/** Gradient arrays for the next items. */
	readonly free: Float32Array[];
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

/** Creates a tensor exchange within one process. Both sides use the same arrays, so no numbers are copied. */
export function createMemoryTensors(): MemoryTensors {
	return new InProcessExchange();
}

class InProcessExchange implements MemoryTensors {
	readonly hasReplicas = false;
	readonly #runs = new Map<string, RunTensors>();

	openRun(runId: string, schema: TensorSchema, answers?: AnswerReceiver): void {
		const open = this.#runs.get(runId);
		if (open) {
			assertSameSchema(runId, open.schema, schema);
			open.answers ??= answers;
		} else this.#runs.set(runId, { schema, answers, parameters: new Map(), free: [] });
	}

	closeRun(runId: string): void {
		this.#runs.delete(runId);
	}

	async publishState(runId: string, version: number, { parameters }: PublishedState): Promise<void> {
		this.#open(runId).parameters.set(version, parameters);
	}

	/** The worker reads the coordinator's arrays, to which the update is applied. */
	async publishUpdate(): Promise<void> {}

	async dropState(runId: string, version: number): Promise<void> {
		this.#runs.get(runId)?.parameters.delete(version);
	}

	lendGradientBuffers(runId: string, buffers: readonly Float32Array[]): void {
		releaseArrays(this.#open(runId).free, ...buffers);
	}

	async parameters(runId: string, version: number): Promise<Float32Array> {
		const parameters = this.#runs.get(runId)?.parameters.get(version);
		if (parameters) return parameters;
		throw new TailtuneError("protocol", `run ${runId} has no parameters of version ${version}`);
	}

	gradientBuffer(runId: string, length: number): Float32Array {
		return takeArray(this.#runs.get(runId)?.free, length);
	}

	async putAnswer(answer: Parameters<WorkerTensors["putAnswer"]>[0]): Promise<void> {
		const { result, tensor } = answer;
		const run = this.#runs.get(result.runId);
		try {
			run?.answers?.accept(answer);
		} catch (error) {
			if (tensor) releaseArrays(run?.free, tensor);
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
