import { EventEmitter, once } from "node:events";
import type { FollowUpdatesRequest } from "../../proto/gen/tailtune/v1/FollowUpdatesRequest.ts";
import type { FollowUpdatesResponse } from "../../proto/gen/tailtune/v1/FollowUpdatesResponse.ts";
import type { GetStateRequest } from "../../proto/gen/tailtune/v1/GetStateRequest.ts";
import type { GetStateResponse } from "../../proto/gen/tailtune/v1/GetStateResponse.ts";
import { TailtuneError } from "../../shared/errors.ts";
import type { AnswerReceiver, CoordinatorTensors, PublishedState } from "../../shared/exchange/tensor-exchange.ts";
import { assertSameSchema, type TensorSchema } from "../../shared/exchange/tensor-schema.ts";
import { checkProtocolVersion } from "../../shared/exchange/tensor-service.ts";
import { KeptParts } from "../../shared/exchange/tensor-stream.ts";
import { Refusal } from "../../shared/rpc/refusal.ts";
import type { Update } from "../../shared/updates/updatable-state.ts";
import { fingerprintOf } from "../../shared/vectors/fingerprint.ts";
import { UpdateLog } from "./update-log.ts";

/** The current state of a run. */
interface Current extends PublishedState {
	readonly version: number;
	/** Of the parameters; computed for the first answer. */
	fingerprint?: number;
}

/** A state as messages. */
interface Snapshot {
	readonly version: number;
	readonly hasMoments: boolean;
	readonly parts: KeptParts;
	/** Whether its memory may have other numbers now, or no updates lead from it to the current version. */
	isDropped: boolean;
}

/** A run that is open at the coordinator. */
export interface ServedRun {
	readonly schema: TensorSchema;
	readonly answers: AnswerReceiver;
	/** Arrays for the next gradients. */
	readonly free: Float32Array[];
	current?: Current | undefined;
	/** Sent to workers that join; kept for as long as the log leads from it to the current version. */
	snapshot?: Snapshot | undefined;
	/** Unset before the first step. */
	log?: UpdateLog | undefined;
	/** Emits "state" when a state is published, and when the run is closed. */
	readonly changes: EventEmitter;
	/** Version whose update was sent, but whose state isn't published yet. */
	pending?: number | undefined;
}

/** The open runs, their states and their updates. Requests for other runs or versions are refused. */
export class ServedRuns implements CoordinatorTensors {
	readonly hasReplicas = true;
	readonly #runs = new Map<string, ServedRun>();
	readonly #mostLogBytes: number | undefined;

	/** @param mostLogBytes of the updates that are kept of each run; default: see `UpdateLog` */
	constructor(mostLogBytes?: number) {
		this.#mostLogBytes = mostLogBytes;
	}

	openRun(runId: string, schema: TensorSchema, answers: AnswerReceiver): void {
		const open = this.#runs.get(runId);
		if (open) assertSameSchema(runId, open.schema, schema);
		else {
			const changes = new EventEmitter().setMaxListeners(0);
			this.#runs.set(runId, { schema, answers, free: [], changes });
		}
	}

	closeRun(runId: string): void {
		const run = this.#runs.get(runId);
		if (!run) return;
		dropCurrent(run);
		dropSnapshot(run);
		run.log?.close();
		run.pending = undefined;
		run.changes.emit("state");
		this.#runs.delete(runId);
	}

	/** @throws TailtuneError "protocol" if the run isn't open or has another number of parameters */
	async publishState(runId: string, version: number, state: PublishedState): Promise<void> {
		const run = this.#open(runId);
		const { length } = state.parameters;
		if (length !== run.schema.parameters)
			throw new TailtuneError("protocol", `run ${runId}: ${length} parameters, expected ${run.schema.parameters}`);
		if (run.current?.version === version && run.current.parameters === state.parameters) return;
		dropCurrent(run);
		run.current = { ...state, version };
		if (state.firstMoment && run.log?.newest !== version) {
			run.log?.close();
			run.log = new UpdateLog(version, this.#mostLogBytes);
			dropSnapshot(run);
		}
		run.pending = undefined;
		run.changes.emit("state");
		// Soon needed for the answers; now the workers compute, and the coordinator is idle.
		if (state.firstMoment) setImmediate(() => run.current?.version === version && readFingerprint(run.current));
	}

	async dropState(runId: string, version: number): Promise<void> {
		const run = this.#runs.get(runId);
		if (run?.current?.version === version) dropCurrent(run);
	}

	async publishUpdate(runId: string, update: Update): Promise<void> {
		const run = this.#open(runId);
		if (run.log?.newest !== update.version - 1)
			throw new TailtuneError("protocol", `run ${runId}: an update to ${update.version} after ${run.log?.newest}`);
		run.log.append(update);
		run.pending = update.version;
		if (run.snapshot && !run.log.reachesFrom(run.snapshot.version)) dropSnapshot(run);
	}

	lendGradientBuffers(runId: string, buffers: readonly Float32Array[]): void {
		this.#open(runId).free.push(...buffers);
	}

	/** Counts the arrays that are kept for a run, for tests that memory is released. */
	held(runId: string): { readonly states: number; readonly updates: number; readonly free: number } {
		const { current, snapshot, log, free = [] } = this.#runs.get(runId) ?? {};
		return { states: Number(!!current) + Number(!!snapshot), updates: log?.length ?? 0, free: free.length };
	}

	/** Returns the run of a request. @throws Refusal if it isn't open */
	find(runId: string): ServedRun {
		const run = this.#runs.get(runId);
		if (run) return run;
		throw new Refusal("REFUSAL_UNKNOWN_RUN", `run ${JSON.stringify(runId)} is not open`);
	}

	#runOf({ runId, schemaHash, protocolVersion }: GetStateRequest | FollowUpdatesRequest): ServedRun {
		checkProtocolVersion({ protocolVersion });
		const run = this.find(runId);
		checkSchema(runId, schemaHash, run.schema);
		return run;
	}

	/**
	 * Yields a state that leads to the current version. If the caller has its first bytes, sends only the others.
	 * @throws Refusal if the request is wrong, if `parameterVersion` isn't the current version, or if the state is
	 *   dropped before all messages were sent
	 */
	async *sendState(request: GetStateRequest): AsyncGenerator<GetStateResponse> {
		const run = this.#runOf(request);
		const { runId, parameterVersion, stateVersion } = request;
		const snapshot = takeSnapshot(run, await waitForState(run, runId, parameterVersion));
		const { version, hasMoments } = snapshot;
		const byteOffset = stateVersion === version ? request.byteOffset : 0;
		const parts = snapshot.parts.after(byteOffset);
		yield { header: { parameterVersion: version, hasMoments, byteOffset } } as GetStateResponse;
		// Checked before each chunk: if the state was dropped, its memory may have other numbers.
		for (const part of parts) {
			if (snapshot.isDropped) throw staleVersion(runId, parameterVersion);
			yield part as GetStateResponse;
		}
	}

	/**
	 * Yields all updates after a version, also later ones, until the run is closed.
	 * @throws Refusal if the next one isn't kept
	 */
	followUpdates(request: FollowUpdatesRequest, signal: AbortSignal): AsyncIterable<FollowUpdatesResponse> {
		const { log } = this.#runOf(request);
		const { runId, parameterVersion } = request;
		const onGap = () => staleVersion(runId, parameterVersion);
		if (!log) throw onGap();
		return log.follow(parameterVersion, signal, onGap);
	}

	#open(runId: string): ServedRun {
		const run = this.#runs.get(runId);
		if (!run) throw new TailtuneError("protocol", `run ${runId} is not open`);
		return run;
	}
}

/**
 * Returns the state as messages. While the run trains, it is copied, because it changes before a slow worker has read
 * it; the copy is sent to later workers too.
 */
function takeSnapshot(run: ServedRun, { version, parameters, firstMoment, secondMoment }: Current): Snapshot {
	const { snapshot } = run;
	if (snapshot && (snapshot.version === version || (snapshot.hasMoments && firstMoment))) return snapshot;
	dropSnapshot(run);
	const hasMoments = firstMoment !== undefined && secondMoment !== undefined;
	const vectors = hasMoments ? [parameters, firstMoment, secondMoment].map((vector) => vector.slice()) : [parameters];
	run.snapshot = { version, hasMoments, parts: new KeptParts(...vectors), isDropped: false };
	return run.snapshot;
}

/** Ends the use of the current state's memory. */
function dropCurrent(run: ServedRun): void {
	run.current = undefined;
	if (run.snapshot && !run.snapshot.hasMoments) dropSnapshot(run);
}

/** Ends the streams that send the snapshot, so that slow workers don't keep old ones in memory. */
function dropSnapshot(run: ServedRun): void {
	if (run.snapshot) run.snapshot.isDropped = true;
	run.snapshot = undefined;
}

/**
 * Checks the parameters with which an answer was computed.
 * @throws Refusal if they differ from the current ones of this version
 */
export async function checkFingerprint(
	run: ServedRun,
	{ runId, version }: { readonly runId: string; readonly version: number },
	found: number | null | undefined,
): Promise<void> {
	const fingerprint = readFingerprint(await waitForState(run, runId, version));
	if (found === fingerprint) return;
	const expected = `expected fingerprint ${fingerprint} of version ${version}`;
	throw new Refusal("REFUSAL_DIVERGED", `computed with parameters of fingerprint ${found}, ${expected}`);
}

function readFingerprint(current: Current): number {
	current.fingerprint ??= fingerprintOf(current.parameters);
	return current.fingerprint;
}

/**
 * Returns the current state. If its update was sent, but the coordinator hasn't applied it yet, waits for it.
 * @throws Refusal if it has another version
 */
async function waitForState(run: ServedRun, runId: string, version: number): Promise<Current> {
	while (run.current?.version !== version) {
		if (run.pending !== version) throw staleVersion(runId, version);
		await once(run.changes, "state");
	}
	return run.current;
}

/** Checks the schema of a caller. @throws Refusal if its base weights, parameter layout or form of gradients differ */
export function checkSchema(runId: string, found: string, { hash }: TensorSchema): void {
	if (found === hash) return;
	throw new Refusal("REFUSAL_SCHEMA", `run ${runId}: found schema ${JSON.stringify(found)}, expected ${hash}`);
}

/** Creates the refusal of a version that isn't current, or from which the log doesn't lead to the current one. */
export function staleVersion(runId: string, version: number): Refusal {
	return new Refusal("REFUSAL_STALE_VERSION", `run ${runId} has no state or updates for version ${version}`);
}
