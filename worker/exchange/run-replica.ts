import type { FollowUpdatesResponse } from "../../proto/gen/tailtune/v1/FollowUpdatesResponse.ts";
import type { GetStateRequest } from "../../proto/gen/tailtune/v1/GetStateRequest.ts";
import type { GetStateResponse } from "../../proto/gen/tailtune/v1/GetStateResponse.ts";
import type { StateHeader } from "../../proto/gen/tailtune/v1/StateHeader.ts";
import type { Clock } from "../../shared/clock.ts";
import { CALL_SILENCE_MS } from "../../shared/deadlines.ts";
import { TailtuneError } from "../../shared/errors.ts";
import type { TensorSchema } from "../../shared/exchange/tensor-schema.ts";
import { TensorReceiver } from "../../shared/exchange/tensor-stream.ts";
import { raceAbort } from "../../shared/race-abort.ts";
import { Refusal, type RefusalReason } from "../../shared/rpc/refusal.ts";
import { SilenceLimit } from "../../shared/rpc/silence.ts";
import { UpdatableState, type Update } from "../../shared/updates/updatable-state.ts";
import { allocateVectors } from "../../shared/vectors/allocate-vectors.ts";
import { fingerprintOf } from "../../shared/vectors/fingerprint.ts";
import { readState } from "./read-state.ts";
import { UpdateReader } from "./update-reader.ts";

/** The request for a state, without the fields that are the same for a whole run. */
export type WantedState = Pick<GetStateRequest, "parameterVersion" | "stateVersion" | "byteOffset">;

/** The coordinator's state and updates of one run, as streams of messages. */
export interface StateSource {
	/** Ends with an error if the coordinator is silent for too long, or when `signal` aborts. */
	getState(wanted: WantedState, signal: AbortSignal): AsyncIterable<GetStateResponse>;
	/** Stays open, however long no update comes, until `signal` aborts. */
	followUpdates(version: number, signal: AbortSignal): AsyncIterable<FollowUpdatesResponse>;
}

export interface ReplicaOptions {
	readonly runId: string;
	readonly schema: TensorSchema;
	readonly source: StateSource;
	/** Threads that apply updates. Default: 1. */
	readonly threads?: number | undefined;
	/** Longest wait for the next message of an update that is needed, in milliseconds. Default: `CALL_SILENCE_MS`. */
	readonly silenceMs?: number | undefined;
	/** Default: real time. */
	readonly clock?: Clock | undefined;
}

/** A state that hasn't arrived to its end. It lies in the replica's memory. */
interface HalfRead {
	readonly header: StateHeader;
	readonly receiver: TensorReceiver;
}

/** An open stream of updates. */
interface Following {
	readonly stop: AbortController;
	/** Rejects with the reason why no further update can be applied. */
	readonly ended: Promise<void>;
}

/**
 * A worker's copy of a run's state. It reads the state once and then applies the coordinator's updates, so that it has
 * the coordinator's numbers, bit for bit. If an update is missing or wrong, it reads the state again.
 */
export class RunReplica {
	readonly #options: ReplicaOptions;
	readonly #closed = new AbortController();
	/** Allocated once, because the engine reads the parameters in place. */
	#parameters: Float32Array | undefined;
	/** Unset while the run doesn't train. */
	#state: UpdatableState | undefined;
	/** Version of the parameters; undefined if they aren't usable. */
	#version: number | undefined;
	/** Set while a state is read, and after its stream broke; the version is then undefined. */
	#halfRead: HalfRead | undefined;
	/** Whether updates can be applied. */
	#hasMoments = false;
	/** The parameters as given to callers: another object after each change of the numbers. */
	#view: Float32Array | undefined;
	#following: Following | undefined;
	/** Called for each message of the stream of updates, and after each update. */
	#onMessage = () => {};
	#onUpdate = () => {};
	/** Settles after the last requested version. */
	#turn: Promise<unknown> = Promise.resolve();

	constructor(options: ReplicaOptions) {
		this.#options = options;
	}

	/**
	 * Returns the parameters of the coordinator's current version. They are valid until another version is requested or
	 * the coordinator takes the next step. The object is the same for as long as the numbers are.
	 * @throws TailtuneError if the coordinator can't be reached, or has no such version; "checksum" if the messages are
	 *   wrong even after the state was read again; "interrupted" after `close`
	 */
	parameters(version: number): Promise<Float32Array> {
		const { signal } = this.#closed;
		const reached = this.#turn.then(() => {
			signal.throwIfAborted();
			return raceAbort(this.#reach(version).catch(blameConnection), signal);
		});
		this.#turn = reached.catch(() => {});
		return reached;
	}

	/** Version of the parameters; undefined if there are none. */
	get version(): number | undefined {
		return this.#version;
	}

	/**
	 * Fingerprint of the parameters; undefined if there are none. It is computed each time, so that no answer is counted
	 * if the memory was damaged before it was computed.
	 */
	get fingerprint(): number | undefined {
		if (!this.#parameters || this.#version === undefined) return undefined;
		return fingerprintOf(this.#parameters);
	}

	/** Forgets the numbers, so that they are read again: at once if a request waits for an update, else for the next. */
	drop(): void {
		this.#stopFollowing(new Refusal("REFUSAL_STALE_VERSION", `run ${this.#options.runId}: its state was dropped`));
		this.#setVersion(undefined);
		this.#halfRead = undefined;
	}

	/** Ends all streams and requests. */
	close(): void {
		this.#closed.abort(new TailtuneError("interrupted", `run ${this.#options.runId} is closed`));
		this.drop();
	}

	async #reach(version: number): Promise<Float32Array> {
		const isReached = await this.#follow(version).catch((error) => {
			if (!isOfUpdates(error)) throw error;
			return false;
		});
		if (!isReached) {
			await this.#fetch(version);
			await this.#follow(version);
		}
		if (!this.#parameters || this.#version !== version) {
			const found = `reached version ${this.#version}, expected ${version}`;
			throw new Refusal("REFUSAL_STALE_VERSION", `run ${this.#options.runId}: ${found}`);
		}
		this.#view ??= this.#parameters.subarray();
		return this.#view;
	}

	/**
	 * Waits until the updates have led to a version.
	 * @returns false if they can't, because there is no state or a later one
	 * @throws Refusal if an update is missing or wrong; TailtuneError "offline" if none comes
	 */
	async #follow(version: number): Promise<boolean> {
		while (this.#version !== version) {
			if (this.#version === undefined || this.#version > version || !this.#hasMoments) return false;
			this.#following ??= this.#beginFollowing(this.#version);
			await this.#waitForUpdate(this.#following);
		}
		return true;
	}

	/** Waits for the next update. The coordinator sends it before any item that needs it, so it is on its way. */
	async #waitForUpdate({ stop, ended }: Following): Promise<void> {
		const { silenceMs = CALL_SILENCE_MS, clock } = this.#options;
		const silence = new SilenceLimit(silenceMs, (error) => this.#stopFollowing(error), clock);
		const updated = new Promise<void>((resolve) => {
			this.#onUpdate = resolve;
		});
		this.#onMessage = () => silence.wait();
		silence.wait();
		try {
			await raceAbort(Promise.race([updated, ended]), stop.signal);
		} finally {
			silence.stop();
			this.#onMessage = () => {};
		}
	}

	#beginFollowing(version: number): Following {
		const stop = new AbortController();
		const ended = this.#applyUpdates(this.#options.source.followUpdates(version, stop.signal), stop.signal);
		const following = { stop, ended };
		ended.catch(() => {
			// The next request opens a new stream.
			if (this.#following === following) this.#following = undefined;
		});
		return following;
	}

	#stopFollowing(why: TailtuneError): void {
		this.#following?.stop.abort(why);
		this.#following = undefined;
	}

	/** Applies updates as they arrive. @throws TailtuneError as the stream; "offline" if it ends */
	async #applyUpdates(messages: AsyncIterable<FollowUpdatesResponse>, stopped: AbortSignal): Promise<void> {
		const { runId, schema } = this.#options;
		let reader: UpdateReader | undefined;
		for await (const message of messages) {
			// Messages that arrived before the end of the call follow even after it.
			stopped.throwIfAborted();
			if (!this.#state || this.#version === undefined) break;
			reader ??= new UpdateReader(runId, schema, this.#state.update);
			const update = reader.add(message, this.#version);
			if (update) this.#apply(this.#state, update);
			this.#onMessage();
		}
		throw new TailtuneError("offline", `run ${runId}: the coordinator ended the stream of updates`);
	}

	/** @throws Refusal if the update's gradient isn't finite; the state is then unusable */
	#apply(state: UpdatableState, update: Update): void {
		const isUsable = state.apply(update, this.#options.threads ?? 1);
		this.#setVersion(isUsable ? update.version : undefined);
		if (!isUsable) {
			const found = `the gradient of the update to version ${update.version} isn't finite`;
			throw new Refusal("REFUSAL_NOT_FINITE", `run ${this.#options.runId}: ${found}`);
		}
		this.#onUpdate();
	}

	/**
	 * Reads the state of this version, or of an earlier one from which the updates lead to it. A state whose stream broke
	 * is continued, or read from its beginning if it doesn't fit the coordinator's.
	 */
	async #fetch(version: number): Promise<void> {
		const isContinued = !!this.#halfRead;
		await this.#read(version).catch((error) => {
			if (!isContinued || !(error instanceof Refusal && error.reason === "REFUSAL_OFFSET")) throw error;
			return this.#read(version);
		});
	}

	/**
	 * Reads a state. The present one is kept if the coordinator refuses, because an item that is no longer needed may ask
	 * for an old version.
	 */
	async #read(parameterVersion: number): Promise<void> {
		const { runId, source } = this.#options;
		const { header, receiver } = this.#halfRead ?? {};
		const has = { stateVersion: header?.parameterVersion ?? 0, byteOffset: receiver?.received ?? 0 };
		const messages = source.getState({ parameterVersion, ...has }, this.#closed.signal);
		try {
			const found = await readState(messages, runId, (begun) => this.#receiverFor(begun));
			this.#hasMoments = found.hasMoments;
			this.#setVersion(found.parameterVersion);
			this.#halfRead = undefined;
		} catch (error) {
			// After a refusal the numbers may be wrong; after a broken connection they are those that were sent.
			if (isOfUpdates(error)) this.#halfRead = undefined;
			throw error;
		}
	}

	/** Returns the receiver of a state's chunks. @throws Refusal if they don't begin with the number that it needs */
	#receiverFor(header: StateHeader): TensorReceiver {
		const { parameterVersion, hasMoments, byteOffset } = header;
		if (byteOffset === 0) {
			this.drop();
			const receiver = new TensorReceiver(...this.#vectorsFor(header));
			this.#halfRead = { header, receiver };
			return receiver;
		}
		const { header: begun, receiver } = this.#halfRead ?? {};
		const isSame = begun?.parameterVersion === parameterVersion && begun.hasMoments === hasMoments;
		if (receiver && isSame && receiver.received === byteOffset) return receiver;
		const found = `version ${parameterVersion} from byte ${byteOffset} on`;
		const expected = `expected version ${begun?.parameterVersion} from byte ${receiver?.received ?? 0} on, or byte 0`;
		throw new Refusal("REFUSAL_OFFSET", `run ${this.#options.runId}: ${found}, ${expected}`);
	}

	#vectorsFor({ hasMoments }: StateHeader): Float32Array[] {
		const { form, parameters, factorTexts } = this.#options.schema;
		if (hasMoments) this.#state ??= new UpdatableState(form, parameters, factorTexts);
		this.#parameters = this.#state?.parameters ?? this.#parameters ?? allocateVectors(parameters)[0];
		if (!hasMoments || !this.#state) return [this.#parameters];
		return [this.#parameters, this.#state.firstMoment, this.#state.secondMoment];
	}

	#setVersion(version: number | undefined): void {
		this.#version = version;
		this.#view = undefined;
	}
}

/** Whether the updates can't be followed, and the state has to be read again: one is wrong, or isn't kept any more. */
function isOfUpdates(error: unknown): boolean {
	return error instanceof Refusal && error.reason !== "REFUSAL_TOO_MANY";
}

/** Reasons for which only a replica refuses messages. Numbers that aren't finite may be the coordinator's own. */
const OF_MESSAGES: ReadonlySet<RefusalReason> = new Set([
	"REFUSAL_ORDER",
	"REFUSAL_LENGTH",
	"REFUSAL_MALFORMED",
	"REFUSAL_OFFSET",
]);

/** Reports wrong messages as damage on the way to this worker. As a fault of the item they would end the run. */
function blameConnection(cause: unknown): never {
	if (!(cause instanceof Refusal && OF_MESSAGES.has(cause.reason))) throw cause;
	throw new TailtuneError("checksum", cause.message, { cause });
}
