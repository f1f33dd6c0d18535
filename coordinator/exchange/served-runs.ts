import { TailtuneError } from "../../shared/errors.ts";
import type { AnswerReceiver, CoordinatorTensors } from "../../shared/exchange/tensor-exchange.ts";
import type { TensorSchema } from "../../shared/exchange/tensor-schema.ts";
import { KeptParts } from "../../shared/exchange/tensor-stream.ts";
import { Refusal } from "../../shared/rpc/refusal.ts";

/** A readable parameter version. */
export interface ServedVersion {
	readonly parameters: Float32Array;
	/** The messages that carry them, and the memory that they are in where they are rounded. */
	readonly parts: KeptParts;
	readonly rounded: Uint16Array;
	isDropped: boolean;
}

/** A run that is open at the coordinator. */
export interface ServedRun {
	readonly schema: TensorSchema;
	readonly answers: AnswerReceiver;
	readonly versions: Map<number, ServedVersion>;
	/** Memory for the rounded numbers of the next versions. */
	readonly freeRounded: Uint16Array[];
	/** Arrays for the next gradients. */
	readonly free: Float32Array[];
}

/** Which runs and versions the coordinator serves, and what requests about others are refused with. */
export class ServedRuns implements CoordinatorTensors {
	readonly #runs = new Map<string, ServedRun>();

	openRun(runId: string, schema: TensorSchema, answers: AnswerReceiver): void {
		const open = this.#runs.get(runId);
		if (!open) this.#runs.set(runId, { schema, answers, versions: new Map(), freeRounded: [], free: [] });
		else if (open.schema.hash !== schema.hash)
			throw new TailtuneError(
				"protocol",
				`run ${runId}: is open with schema ${open.schema.hash}, found ${schema.hash}`,
			);
	}

	closeRun(runId: string): void {
		for (const version of this.#runs.get(runId)?.versions.values() ?? []) version.isDropped = true;
		this.#runs.delete(runId);
	}

	/** @throws TailtuneError "protocol" if the run isn't open or has another number of parameters */
	async publishParameters(runId: string, version: number, parameters: Float32Array): Promise<void> {
		const run = this.#open(runId);
		if (parameters.length !== run.schema.parameters) {
			const message = `run ${runId}: ${parameters.length} parameters, expected ${run.schema.parameters}`;
			throw new TailtuneError("protocol", message);
		}
		if (run.versions.get(version)?.parameters === parameters) return;
		await this.dropParameters(runId, version);
		const { wire } = run.schema;
		const rounded = run.freeRounded.pop() ?? new Uint16Array(wire === "bf16" ? parameters.length : 0);
		const parts = new KeptParts(parameters, wire, rounded);
		run.versions.set(version, { parameters, parts, rounded, isDropped: false });
	}

	async dropParameters(runId: string, version: number): Promise<void> {
		const run = this.#runs.get(runId);
		const dropped = run?.versions.get(version);
		if (!run || !dropped) return;
		dropped.isDropped = true;
		run.versions.delete(version);
		run.freeRounded.push(dropped.rounded);
	}

	lendGradientBuffers(runId: string, buffers: readonly Float32Array[]): void {
		this.#open(runId).free.push(...buffers);
	}

	/** What is held of a run, for tests that nothing is kept. */
	held(runId: string): { readonly parameters: number; readonly free: number } {
		const run = this.#runs.get(runId);
		return { parameters: run?.versions.size ?? 0, free: run?.free.length ?? 0 };
	}

	/** The run that a request is about. @throws Refusal if it isn't open */
	find(runId: string): ServedRun {
		const run = this.#runs.get(runId);
		if (run) return run;
		throw new Refusal("REFUSAL_UNKNOWN_RUN", `run ${JSON.stringify(runId)}: not open here`);
	}

	/** The version that a request is about. @throws Refusal if there is none, or the caller computes with something else */
	findVersion(runId: string, version: number, schemaHash: string): ServedVersion {
		const run = this.find(runId);
		checkSchema(runId, schemaHash, run.schema);
		const found = run.versions.get(version);
		if (!found) throw staleVersion(runId, version);
		return found;
	}

	#open(runId: string): ServedRun {
		const run = this.#runs.get(runId);
		if (!run) throw new TailtuneError("protocol", `run ${runId}: tensors of a run that isn't open`);
		return run;
	}
}

/** @throws Refusal if the caller computes with other base weights or another parameter layout */
export function checkSchema(runId: string, found: string, { hash }: TensorSchema): void {
	if (found === hash) return;
	throw new Refusal("REFUSAL_SCHEMA", `run ${runId}: found schema ${JSON.stringify(found)}, expected ${hash}`);
}

/** Of a version that isn't readable, or not any more. */
export function staleVersion(runId: string, version: number): Refusal {
	return new Refusal("REFUSAL_STALE_VERSION", `run ${runId} has no parameters of version ${version}`);
}
