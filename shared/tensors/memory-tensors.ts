import { TailtuneError } from "../errors.ts";
import { itemKey } from "../messages.ts";
import type { CoordinatorTensors, WorkerTensors } from "./tensor-exchange.ts";
import type { TensorSchema } from "./tensor-schema.ts";

interface HandedIn {
	readonly version: number;
	readonly gradient: Float32Array;
}

/** What the exchange holds of a run that has readable parameters. */
interface RunTensors {
	readonly parameters: Map<number, Float32Array>;
	readonly gradients: Map<string, HandedIn>;
	/** Gradient arrays for the next items. */
	readonly free: Float32Array[];
	lent?: Float32Array | undefined;
}

/** What an exchange holds, for tests that nothing is kept. */
export interface HeldTensors {
	readonly parameters: number;
	/** Handed in and not taken. */
	readonly gradients: number;
	/** Arrays for the next gradients. */
	readonly free: number;
}

export interface MemoryTensors extends CoordinatorTensors, WorkerTensors {
	/** Gives back an array of `gradientBuffer` that won't be handed in. */
	releaseGradient(runId: string, gradient: Float32Array): void;
	held(runId: string): HeldTensors;
}

/** A tensor exchange within one process: both sides see the same arrays, nothing is copied. */
export function createMemoryTensors(): MemoryTensors {
	const runs = new Map<string, RunTensors>();
	const schemas = new Map<string, TensorSchema>();
	const tensorsOf = (runId: string): RunTensors => {
		const run = runs.get(runId) ?? { parameters: new Map(), gradients: new Map(), free: [] };
		runs.set(runId, run);
		return run;
	};

	return {
		openRun(runId, schema) {
			const open = schemas.get(runId);
			if (open && open.hash !== schema.hash)
				throw new TailtuneError("protocol", `run ${runId}: is open with schema ${open.hash}, found ${schema.hash}`);
			schemas.set(runId, schema);
		},

		closeRun(runId) {
			schemas.delete(runId);
			runs.delete(runId);
		},

		async publishParameters(runId, version, parameters) {
			tensorsOf(runId).parameters.set(version, parameters);
		},

		lendGradientBuffers(runId, buffers) {
			const run = tensorsOf(runId);
			if (run.lent && buffers.includes(run.lent)) run.lent = undefined;
			run.free.push(...buffers);
		},

		async dropParameters(runId, version) {
			const run = runs.get(runId);
			if (!run) return;
			run.parameters.delete(version);
			for (const [key, handedIn] of run.gradients) {
				if (handedIn.version !== version) continue;
				run.gradients.delete(key);
				run.free.push(handedIn.gradient);
			}
		},

		async parameters(runId, version) {
			const parameters = runs.get(runId)?.parameters.get(version);
			if (!parameters) throw new TailtuneError("protocol", `run ${runId} has no parameters of version ${version}`);
			return parameters;
		},

		gradientBuffer(runId, length) {
			const free = runs.get(runId)?.free.pop();
			return free?.length === length ? free : new Float32Array(length);
		},

		releaseGradient(runId, gradient) {
			runs.get(runId)?.free.push(gradient);
		},

		held(runId) {
			const run = runs.get(runId);
			return {
				parameters: run?.parameters.size ?? 0,
				gradients: run?.gradients.size ?? 0,
				free: run?.free.length ?? 0,
			};
		},

		async putGradient(runId, item, gradient) {
			const run = runs.get(runId);
			if (!run) return;
			const version = item.parameterVersion;
			if (!run.parameters.has(version)) {
				run.free.push(gradient);
				return;
			}
			const before = run.gradients.get(itemKey(item));
			if (before) run.free.push(before.gradient);
			run.gradients.set(itemKey(item), { version, gradient });
		},

		async takeGradient(runId, key) {
			const run = runs.get(runId);
			const handedIn = run?.gradients.get(key);
			if (!run || !handedIn) return undefined;
			run.gradients.delete(key);
			if (run.lent) run.free.push(run.lent);
			run.lent = handedIn.gradient;
			return run.lent;
		},
	};
}
