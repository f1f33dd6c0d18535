import type { FollowUpdatesResponse } from "../../proto/gen/tailtune/v1/FollowUpdatesResponse.ts";
import type { GetStateResponse } from "../../proto/gen/tailtune/v1/GetStateResponse.ts";
import type { StateHeader } from "../../proto/gen/tailtune/v1/StateHeader.ts";
import type { UpdateHeader } from "../../proto/gen/tailtune/v1/UpdateHeader.ts";
import type { Clock } from "../../shared/clock.ts";
import { CALL_SILENCE_MS } from "../../shared/deadlines.ts";
import { TailtuneError } from "../../shared/errors.ts";
import type { TensorSchema } from "../../shared/exchange/tensor-schema.ts";
import { checkEnd, TensorReceiver } from "../../shared/exchange/tensor-stream.ts";
import { raceAbort } from "../../shared/race-abort.ts";
import { Refusal } from "../../shared/rpc/refusal.ts";
import { SilenceLimit } from "../../shared/rpc/silence.ts";
import { gradientLength } from "../../shared/updates/gradient-form.ts";
import { UpdatableState, type Update } from "../../shared/updates/updatable-state.ts";
import { allocateVectors } from "../../shared/vectors/allocate-vectors.ts";
import { fingerprintOf } from "../../shared/vectors/fingerprint.ts";

/** The coordinator's state and updates of one run, as streams of messages. */
export interface StateSource {
	getState(version: number): AsyncIterable<GetStateResponse>;
	/** Stays open until `signal` aborts. */
	followUpdates(version: number, signal: AbortSignal): AsyncIterable<FollowUpdatesResponse>;
}

export interface ReplicaOptions {
	readonly runId: string;
	readonly schema: TensorSchema;
	readonly source: StateSource;
	/** Threads that apply updates. Default: 1. */
	readonly threads?: number | undefined;
	/** Longest wait for an update, in milliseconds. Default: `CALL_SILENCE_MS`. */
	readonly silenceMs?: number | undefined;
	/** Default: real time. */
	readonly clock?: Clock | undefined;
}

/** An open stream of updates. */
interface Following {
	readonly stop: AbortController;
	/** Rejects with the reason why no further update can be applied. */
	readonly ended: Promise<void>;
}

/** An update of which not all numbers have arrived. */
interface PendingUpdate {
	readonly update: Update;
	readonly receiver: TensorReceiver;
}

/**
 * A worker's copy of a run's state. It reads the state once and then applies the coordinator's updates, so that it has
 * the coordinator's numbers, bit for bit. If an update is missing, it reads the state again.
 */
export class RunReplica {
	readonly #options: ReplicaOptions;
	/** Allocated once, because the engine reads the parameters in place. */
	#parameters: Float32Array | undefined;
	/** Unset while the run doesn't train. */
	#state: UpdatableState | undefined;
	/** Version of the parameters; undefined if they aren't usable. */
	#version: number | undefined;
	/** Whether updates can be applied. */
	#hasMoments = false;
	#fingerprint: number | undefined;
	#following: Following | undefined;
	#onUpdate = () => {};
	/** Settles after the last requested version. */
	#turn: Promise<unknown> = Promise.resolve();

	constructor(options: ReplicaOptions) {
		this.#options = options;
	}

	/**
	 * Returns the parameters of the coordinator's current version. They are valid until another version is requested or
	 * the coordinator takes the next step.
	 * @throws TailtuneError if the coordinator can't be reached, or has no such version
	 */
	parameters(version: number): Promise<Float32Array> {
		const reached = this.#turn.then(() => this.#reach(version));
		this.#turn = reached.catch(() => {});
		return reached;
	}

	/** Fingerprint of the parameters; undefined if there are none. */
	get fingerprint(): number | undefined {
		if (this.#parameters && this.#version !== undefined)
			this.#fingerprint ??= fingerprintOf(this.#parameters, this.#options.threads);
		return this.#fingerprint;
	}

	/** Forgets the numbers, so that they are read again. */
	drop(): void {
		this.#following?.stop.abort(new TailtuneError("interrupted", `run ${this.#options.runId}: updates aren't read`));
		this.#following = undefined;
		this.#setVersion(undefined);
	}

	async #reach(version: number): Promise<Float32Array> {
		if (!(await this.#follow(version))) {
			await this.#fetch(version);
			await this.#follow(version);
		}
		if (this.#parameters && this.#version === version) return this.#parameters;
		const found = `reached version ${this.#version}, expected ${version}`;
		throw new Refusal("REFUSAL_STALE_VERSION", `run ${this.#options.runId}: ${found}`);
	}

	/**
	 * Waits until the updates have led to a version.
	 * @returns false if they can't, because there is no state, a later one, or an update is missing
	 */
	async #follow(version: number): Promise<boolean> {
		while (this.#version !== version) {
			if (this.#version === undefined || this.#version > version || !this.#hasMoments) return false;
			this.#following ??= this.#beginFollowing(this.#version);
			try {
				await this.#waitForUpdate(this.#following);
			} catch (error) {
				if (!isGap(error)) throw error;
				this.drop();
			}
		}
		return true;
	}

	/** Waits for the next update. The coordinator sends it before any item that needs it, so it can't take long. */
	async #waitForUpdate({ stop, ended }: Following): Promise<void> {
		const { silenceMs = CALL_SILENCE_MS, clock } = this.#options;
		const silence = new SilenceLimit(silenceMs, (error) => stop.abort(error), clock);
		const updated = new Promise<void>((resolve) => {
			this.#onUpdate = resolve;
		});
		silence.wait();
		try {
			await raceAbort(Promise.race([updated, ended]), stop.signal);
		} finally {
			silence.stop();
		}
	}

	#beginFollowing(version: number): Following {
		const stop = new AbortController();
		const ended = this.#applyUpdates(this.#options.source.followUpdates(version, stop.signal));
		const following = { stop, ended };
		ended.catch(() => {
			// The next request opens a new stream.
			if (this.#following === following) this.#following = undefined;
		});
		return following;
	}

	/** Applies updates as they arrive. @throws TailtuneError as the stream; "offline" if it ends */
	async #applyUpdates(messages: AsyncIterable<FollowUpdatesResponse>): Promise<void> {
		const { runId } = this.#options;
		let pending: PendingUpdate | undefined;
		for await (const { header, chunk, end } of messages) {
			if (header) pending = this.#expectUpdate(header);
			if (!pending) throw new Refusal("REFUSAL_ORDER", `run ${runId}: an update without a header`);
			if (chunk) pending.receiver.add(chunk);
			if (!end) continue;
			checkEnd(end, pending.receiver.assertWhole());
			this.#apply(pending.update);
			pending = undefined;
		}
		throw new TailtuneError("offline", `run ${runId}: the coordinator ended the stream of updates`);
	}

	#expectUpdate({ parameterVersion, texts, scalars }: UpdateHeader): PendingUpdate {
		const { runId, schema } = this.#options;
		const expected = (this.#version ?? Number.NaN) + 1;
		if (!this.#state || parameterVersion !== expected)
			throw new Refusal(
				"REFUSAL_ORDER",
				`run ${runId}: an update to version ${parameterVersion}, expected ${expected}`,
			);
		const length = gradientLength(schema.form, texts);
		if (!scalars || texts < 1 || length > this.#state.update.length)
			throw new Refusal(
				"REFUSAL_LENGTH",
				`run ${runId}: an update of ${texts} texts, expected 1 to ${schema.factorTexts}`,
			);
		const gradient = this.#state.update.subarray(0, length);
		return { update: { version: expected, texts, scalars, gradient }, receiver: new TensorReceiver(gradient) };
	}

	#apply(update: Update): void {
		const isUsable = this.#state?.apply(update, this.#options.threads ?? 1);
		if (!isUsable) {
			this.drop();
			throw new TailtuneError("engine", `the gradient of the update to version ${update.version} isn't finite`);
		}
		this.#setVersion(update.version);
		this.#onUpdate();
	}

	/**
	 * Reads the state of this version, or of an earlier one from which the updates lead to it. A version that the
	 * coordinator refuses changes nothing, because an item of the current version may be computed meanwhile.
	 */
	async #fetch(version: number): Promise<void> {
		let header: StateHeader | undefined;
		let receiver: TensorReceiver | undefined;
		let isWhole = false;
		for await (const message of this.#options.source.getState(version)) {
			header ??= message.header ?? undefined;
			if (!header) throw new Refusal("REFUSAL_ORDER", `run ${this.#options.runId}: a state without a header`);
			receiver ??= this.#beginState(header);
			if (message.chunk) receiver.add(message.chunk);
			if (message.end) checkEnd(message.end, receiver.assertWhole());
			isWhole = !!message.end;
		}
		if (!header || !isWhole) throw new Refusal("REFUSAL_LENGTH", `run ${this.#options.runId}: its state ended early`);
		this.#hasMoments = header.hasMoments;
		this.#setVersion(header.parameterVersion);
	}

	/** Forgets the present state and receives another one in its memory. */
	#beginState(header: StateHeader): TensorReceiver {
		this.drop();
		return new TensorReceiver(...this.#vectorsFor(header));
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
		this.#fingerprint = undefined;
	}
}

/** Whether the coordinator doesn't keep the next update any more. */
function isGap(error: unknown): boolean {
	return error instanceof Refusal && error.reason === "REFUSAL_STALE_VERSION";
}
