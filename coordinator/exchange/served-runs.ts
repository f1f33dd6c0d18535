import type { GetStateRequest } from "../../proto/gen/tailtune/v1/GetStateRequest.ts";
import type { GetStateResponse } from "../../proto/gen/tailtune/v1/GetStateResponse.ts";
import type { GetUpdatesRequest } from "../../proto/gen/tailtune/v1/GetUpdatesRequest.ts";
import type { GetUpdatesResponse } from "../../proto/gen/tailtune/v1/GetUpdatesResponse.ts";
import { TailtuneError } from "../../shared/errors.ts";
import { setGarbageLimit } from "../../shared/exchange/garbage-limit.ts";
import { releaseArrays } from "../../shared/exchange/take-array.ts";
import type {
	AnswerReceiver,
	CoordinatorTensors,
	PublishedState,
	PublishUpdate,
} from "../../shared/exchange/tensor-exchange.ts";
import { assertSameSchema, type TensorSchema } from "../../shared/exchange/tensor-schema.ts";
import { checkProtocolVersion } from "../../shared/exchange/tensor-service.ts";
import { Refusal } from "../../shared/rpc/refusal.ts";
import type { Update } from "../../shared/updates/updatable-state.ts";
import { ServedRun } from "./served-run.ts";
import type { UpdateLogOptions } from "./update-log.ts";

export interface ServedRunsOptions extends UpdateLogOptions {
	/** Returns the number of attached workers. Default: unknown, each update is published with its numbers. */
	readonly countWorkers?: (() => number) | undefined;
}

/** The open runs. Requests for other runs, or with another schema, are refused. */
export class ServedRuns implements CoordinatorTensors {
	readonly hasReplicas = true;
	/** Number of published parts of updates that workers refused. */
	refusedParts = 0;
	readonly #runs = new Map<string, ServedRun>();
	readonly #options: ServedRunsOptions;

	constructor(options: ServedRunsOptions = {}) {
		this.#options = options;
	}

	openRun(runId: string, schema: TensorSchema, answers: AnswerReceiver, publish?: PublishUpdate): void {
		const open = this.#runs.get(runId);
		setGarbageLimit();
		if (open) assertSameSchema(runId, open.schema, schema);
		else this.#runs.set(runId, new ServedRun({ ...this.#options, runId, schema, answers, publish }));
	}

	closeRun(runId: string): void {
		this.#runs.get(runId)?.close();
		this.#runs.delete(runId);
	}

	/** @throws TailtuneError "protocol" if the run isn't open or has another number of parameters */
	async publishState(runId: string, version: number, state: PublishedState): Promise<void> {
		this.#open(runId).publishState(version, state);
	}

	async dropState(runId: string, version: number): Promise<void> {
		this.#runs.get(runId)?.dropState(version);
	}

	async publishUpdate(runId: string, update: Update, isAnswer = false): Promise<void> {
		this.#open(runId).publishUpdate(update, isAnswer && this.#options.countWorkers?.() === 1);
	}

	lendGradientBuffers(runId: string, buffers: readonly Float32Array[]): void {
		releaseArrays(this.#open(runId).free, ...buffers);
	}

	/** Counts the arrays that are kept for a run, for tests that memory is released. */
	held(runId: string): ServedRun["held"] {
		return this.#runs.get(runId)?.held ?? { states: 0, updates: 0, free: 0 };
	}

	/** Returns the run of a request. @throws Refusal if it isn't open */
	find(runId: string): ServedRun {
		const run = this.#runs.get(runId);
		if (run) return run;
		throw new Refusal("REFUSAL_UNKNOWN_RUN", `run ${JSON.stringify(runId)} is not open`);
	}

	/**
	 * Yields a state that leads to the current version. If the caller has its first bytes, sends only the others.
	 * @throws Refusal if the request is wrong, if `parameterVersion` isn't the current version, or if the state is
	 *   dropped before all messages were sent
	 */
	async *sendState(request: GetStateRequest): AsyncGenerator<GetStateResponse> {
		const run = this.#runOf(request);
		const { parameterVersion, stateVersion, byteOffset } = request;
		const snapshot = await run.snapshotFor(parameterVersion);
		const has = stateVersion === snapshot.version ? byteOffset : 0;
		yield* snapshot.after(has, () => run.staleVersion(parameterVersion));
	}

	/**
	 * Yields the parts of all updates after a version, up to the newest one.
	 * @throws Refusal if the request is wrong, or if the next update isn't kept
	 */
	async *sendUpdates(request: GetUpdatesRequest): AsyncGenerator<GetUpdatesResponse> {
		const { parameterVersion, refusedParts } = request;
		const run = this.#runOf(request);
		this.refusedParts += refusedParts;
		for (const part of run.updatesAfter(parameterVersion)) yield { part };
	}

	#runOf({ runId, schemaHash, protocolVersion }: GetStateRequest | GetUpdatesRequest): ServedRun {
		checkProtocolVersion({ protocolVersion });
		const run = this.find(runId);
		run.checkSchema(schemaHash);
		return run;
	}

	#open(runId: string): ServedRun {
		const run = this.#runs.get(runId);
		if (!run) throw new TailtuneError("protocol", `run ${runId} is not open`);
		return run;
	}
}
