import { TailtuneError } from "../../shared/errors.ts";
import type { CoordinatorTensors, GradientName, WorkerTensors } from "../../shared/exchange/tensor-exchange.ts";
import type { TensorSchema } from "../../shared/exchange/tensor-schema.ts";
import { roundTo } from "../../shared/exchange/wire-format.ts";
import { itemKey } from "../../shared/messages.ts";

interface HandedIn {
	readonly version: number;
	readonly gradient: Float32Array;
}

interface Published {
	readonly parameters: Float32Array;
	/** As they would arrive; made when they are first asked for. */
	rounded?: Float32Array;
}

/** What the exchange holds of a run that has readable parameters. */
interface RunTensors {
	readonly parameters: Map<number, Published>;
	readonly gradients: Map<string, HandedIn>;
	/** Gradient arrays for the next items. */
	readonly free: Float32Array[];
	/** Arrays for the rounded parameters of the next versions. */
	readonly freeRounded: Float32Array[];
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
	/** Hands in a gradient whose numbers are as the wire format leaves them. */
	handIn(runId: string, item: GradientName, gradient: Float32Array): void;
	/** Gives back an array of `gradientBuffer` that won't be handed in. */
	releaseGradient(runId: string, gradient: Float32Array): void;
	held(runId: string): HeldTensors;
}

/**
 * A tensor exchange within one process: both sides see the same arrays, and nothing is copied but what a run's wire format
 * rounds.
 */
export function createMemoryTensors(): MemoryTensors {
	const runs = new Map<string, RunTensors>();
	const schemas = new Map<string, TensorSchema>();
	const wireOfRun = (runId: string) => schemas.get(runId)?.wire ?? "f32";
	const tensorsOf = (runId: string): RunTensors => {
		const run = runs.get(runId) ?? { parameters: new Map(), gradients: new Map(), free: [], freeRounded: [] };
		runs.set(runId, run);
		return run;
	};

	function handIn(runId: string, item: GradientName, gradient: Float32Array): void {
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
	}

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
			tensorsOf(runId).parameters.set(version, { parameters });
		},

		lendGradientBuffers(runId, buffers) {
			const run = tensorsOf(runId);
			if (run.lent && buffers.includes(run.lent)) run.lent = undefined;
			run.free.push(...buffers);
		},

		async dropParameters(runId, version) {
			const run = runs.get(runId);
			if (!run) return;
			const dropped = run.parameters.get(version);
			if (dropped?.rounded) run.freeRounded.push(dropped.rounded);
			run.parameters.delete(version);
			for (const [key, handedIn] of run.gradients) {
				if (handedIn.version !== version) continue;
				run.gradients.delete(key);
				run.free.push(handedIn.gradient);
			}
		},

		async parameters(runId, version) {
			const run = runs.get(runId);
			const published = run?.parameters.get(version);
			if (!run || !published)
				throw new TailtuneError("protocol", `run ${runId} has no parameters of version ${version}`);
			const { parameters } = published;
			const wire = wireOfRun(runId);
			if (wire === "f32") return parameters;
			if (!published.rounded) {
				published.rounded = run.freeRounded.pop() ?? new Float32Array(parameters.length);
				roundTo(wire, parameters, published.rounded);
			}
			return published.rounded;
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
			roundTo(wireOfRun(runId), gradient, gradient);
			handIn(runId, item, gradient);
		},

		handIn,

		hasGradient: (runId, key) => runs.get(runId)?.gradients.has(key) ?? false,

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
