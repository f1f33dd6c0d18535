import { TailtuneError } from "../../shared/errors.ts";
import type { AnswerReceiver, CoordinatorTensors } from "../../shared/exchange/tensor-exchange.ts";
import { assertSameSchema, type TensorSchema } from "../../shared/exchange/tensor-schema.ts";
import { KeptParts } from "../../shared/exchange/tensor-stream.ts";
import { Refusal } from "../../shared/rpc/refusal.ts";

/** A readable parameter version. */
export interface ServedVersion {
	readonly parameters: Float32Array;
	/** The parameters as messages. */
	readonly parts: KeptParts;
	isDropped: boolean;
}

/** A run that is open at the coordinator. */
export interface ServedRun {
	readonly schema: TensorSchema;
	readonly answers: AnswerReceiver;
	readonly versions: Map<number, ServedVersion>;
	/** Arrays for the next gradients. */
	readonly free: Float32Array[];
}

/** The open runs and their parameter versions. Requests for other runs or versions are refused. */
export class ServedRuns implements CoordinatorTensors {
	readonly #runs = new Map<string, ServedRun>();

	openRun(runId: string, schema: TensorSchema, answers: AnswerReceiver): void {
		const open = this.#runs.get(runId);
		if (open) assertSameSchema(runId, open.schema, schema);
		else this.#runs.set(runId, { schema, answers, versions: new Map(), free: [] });
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
		run.versions.set(version, { parameters, parts: new KeptParts(parameters), isDropped: false });
	}

	async dropParameters(runId: string, version: number): Promise<void> {
		const run = this.#runs.get(runId);
		const dropped = run?.versions.get(version);
		if (!run || !dropped) return;
		dropped.isDropped = true;
		run.versions.delete(version);
	}

	lendGradientBuffers(runId: string, buffers: readonly Float32Array[]): void {
		this.#open(runId).free.push(...buffers);
	}

	/** Counts the arrays that are kept for a run, for tests that memory is released. */
	held(runId: string): { readonly parameters: number; readonly free: number } {
		const run = this.#runs.get(runId);
		return { parameters: run?.versions.size ?? 0, free: run?.free.length ?? 0 };
	}

	/** Returns the run of a request. @throws Refusal if it isn't open */
	find(runId: string): ServedRun {
		const run = this.#runs.get(runId);
		if (run) return run;
		throw new Refusal("REFUSAL_UNKNOWN_RUN", `run ${JSON.stringify(runId)} is not open`);
	}

	/** Returns the version of a request. @throws Refusal if it doesn't exist, or if the caller has another schema */
	findVersion(runId: string, version: number, schemaHash: string): ServedVersion {
		const run = this.find(runId);
		checkSchema(runId, schemaHash, run.schema);
		const found = run.versions.get(version);
		if (!found) throw staleVersion(runId, version);
		return found;
	}

	#open(runId: string): ServedRun {
		const run = this.#runs.get(runId);
		if (!run) throw new TailtuneError("protocol", `run ${runId} is not open`);
		return run;
	}
}

/** Checks the schema of a caller. @throws Refusal if its base weights or parameter layout differ */
export function checkSchema(runId: string, found: string, { hash }: TensorSchema): void {
	if (found === hash) return;
	throw new Refusal("REFUSAL_SCHEMA", `run ${runId}: found schema ${JSON.stringify(found)}, expected ${hash}`);
}

/** Creates the refusal of a version that isn't published, or was dropped. */
export function staleVersion(runId: string, version: number): Refusal {
	return new Refusal("REFUSAL_STALE_VERSION", `run ${runId} has no parameters of version ${version}`);
}
