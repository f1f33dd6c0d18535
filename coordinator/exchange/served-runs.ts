import { setMaxListeners } from "node:events";
import { TailtuneError } from "../../shared/errors.ts";
import type { TensorSchema } from "../../shared/exchange/tensor-schema.ts";
import { KeptParts } from "../../shared/exchange/tensor-stream.ts";
import { Refusal } from "../../shared/rpc/refusal.ts";

/** A readable parameter version. */
export interface ServedVersion {
	readonly parameters: Float32Array;
	/** The messages that carry them, and the memory that they are in where they are rounded. */
	readonly parts: KeptParts;
	readonly rounded: Uint16Array;
	/** Aborts when the version is dropped. */
	readonly ended: AbortController;
	/** Keys of the items that have their gradient. */
	readonly answered: Set<string>;
}

/** What a request says of the tensors it is about. */
export interface TensorName {
	readonly runId: string;
	readonly parameterVersion: number;
	readonly schemaHash: string;
}

interface ServedRun {
	readonly schema: TensorSchema;
	readonly versions: Map<number, ServedVersion>;
	/** Memory for the rounded numbers of the next versions. */
	readonly free: Uint16Array[];
}

/** Which runs and versions the coordinator serves, and what requests about others are refused with. */
export class ServedRuns {
	readonly #runs = new Map<string, ServedRun>();

	open(runId: string, schema: TensorSchema): void {
		const open = this.#runs.get(runId);
		if (!open) this.#runs.set(runId, { schema, versions: new Map(), free: [] });
	}

	close(runId: string): void {
		for (const version of [...(this.#runs.get(runId)?.versions.keys() ?? [])]) this.drop(runId, version);
		this.#runs.delete(runId);
	}

	/** @throws TailtuneError "protocol" where the run isn't open or has another number of parameters */
	publish(runId: string, version: number, parameters: Float32Array): void {
		const run = this.#runs.get(runId);
		if (!run) throw new TailtuneError("protocol", `run ${runId}: parameters of a run that isn't open`);
		if (parameters.length !== run.schema.parameters) {
			const message = `run ${runId}: ${parameters.length} parameters, expected ${run.schema.parameters}`;
			throw new TailtuneError("protocol", message);
		}
		if (run.versions.get(version)?.parameters === parameters) return;
		this.drop(runId, version);
		const ended = new AbortController();
		setMaxListeners(0, ended.signal); // one for each upload under way
		const { wire } = run.schema;
		const rounded = run.free.pop() ?? new Uint16Array(wire === "bf16" ? parameters.length : 0);
		const parts = new KeptParts(parameters, wire, rounded);
		run.versions.set(version, { parameters, parts, rounded, ended, answered: new Set() });
	}

	drop(runId: string, version: number): void {
		const run = this.#runs.get(runId);
		const dropped = run?.versions.get(version);
		if (!run || !dropped) return;
		dropped.ended.abort();
		run.versions.delete(version);
		run.free.push(dropped.rounded);
	}

	/** What a request is about. Throws a Refusal where there is none, or the caller computes with something else. */
	find({ runId, parameterVersion, schemaHash }: TensorName): { schema: TensorSchema; version: ServedVersion } {
		const run = this.#runs.get(runId);
		if (!run) throw new Refusal("REFUSAL_UNKNOWN_RUN", `run ${JSON.stringify(runId)}: not open here`);
		if (schemaHash !== run.schema.hash) {
			const message = `run ${runId}: found schema ${JSON.stringify(schemaHash)}, expected ${run.schema.hash}`;
			throw new Refusal("REFUSAL_SCHEMA", message);
		}
		const version = run.versions.get(parameterVersion);
		if (!version) throw staleVersion(runId, parameterVersion);
		return { schema: run.schema, version };
	}
}

/** Of a version that isn't readable, or not any more. */
export function staleVersion(runId: string, version: number): Refusal {
	return new Refusal("REFUSAL_STALE_VERSION", `run ${runId} has no parameters of version ${version}`);
}
