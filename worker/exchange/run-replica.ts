import type { StateHeader } from "../../proto/gen/tailtune/v1/StateHeader.ts";
import type { Clock } from "../../shared/clock.ts";
import { TailtuneError } from "../../shared/errors.ts";
import { wholeArray } from "../../shared/exchange/take-array.ts";
import type { TensorSchema } from "../../shared/exchange/tensor-schema.ts";
import { raceAbort } from "../../shared/race-abort.ts";
import { Refusal, type RefusalReason } from "../../shared/rpc/refusal.ts";
import { UpdatableState, type Update } from "../../shared/updates/updatable-state.ts";
import { allocateVectors } from "../../shared/vectors/allocate-vectors.ts";
import { fingerprintOf } from "../../shared/vectors/fingerprint.ts";
import { isWrongOrOver } from "./is-wrong-or-over.ts";
import { MergedUpdates } from "./merged-updates.ts";
import { StateReader } from "./state-reader.ts";
import type { StateSource } from "./state-source.ts";

export interface ReplicaOptions {
	readonly runId: string;
	readonly schema: TensorSchema;
	readonly source: StateSource;
	/** Threads that apply updates. Default: 1. */
	readonly threads?: number | undefined;
	/** Default: real time. */
	readonly clock?: Clock | undefined;
}

/**
 * A worker's copy of a run's state. It reads the state once and then applies the coordinator's updates, so that it has
 * the coordinator's numbers, bit for bit. If an update is wrong or isn't kept any more, it reads the state again.
 */
export class RunReplica {
	readonly #options: ReplicaOptions;
	readonly #closed = new AbortController();
	readonly #states: StateReader;
	readonly #updates: MergedUpdates;
	/** Allocated once, because the engine reads the parameters in place. */
	#parameters: Float32Array | undefined;
	/** Unset while the run doesn't train. */
	#state: UpdatableState | undefined;
	/** Version of the parameters; undefined if they aren't usable, as while a state is read. */
	#version: number | undefined;
	/** Whether updates can be applied. */
	#hasMoments = false;
	/** The last gradient that this worker sent, as long as its array isn't used again. */
	#answered: Float32Array | undefined;
	/** The parameters as given to callers: another object after each change of the numbers. */
	#view: Float32Array | undefined;
	/** Settles after the last requested version. */
	#turn: Promise<unknown> = Promise.resolve();

	/** Begins to watch what is published at once. */
	constructor(options: ReplicaOptions) {
		const { runId, schema, source, clock } = options;
		const { signal: closed } = this.#closed;
		this.#options = options;
		this.#states = new StateReader({ runId, source, closed, begin: (header) => this.#begin(header) });
		const baseOf = () => this.#base;
		const target = {
			get base() {
				return baseOf();
			},
			apply: (update: Update) => this.#apply(update),
		};
		const answered = () => this.#answered;
		this.#updates = new MergedUpdates({ runId, schema, source, target, closed, clock, answered });
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

	/** Number of published parts of updates that were wrong. */
	get refusedParts(): number {
		return this.#updates.refused;
	}

	/**
	 * Fingerprint of the parameters; undefined if there are none. It is computed each time, so that no answer is counted
	 * if the memory was damaged before it was computed.
	 */
	get fingerprint(): number | undefined {
		if (!this.#parameters || this.#version === undefined) return undefined;
		return fingerprintOf(this.#parameters);
	}

	/**
	 * Notes the gradient that this worker sends. An update of the same numbers arrives without them, and is recognized by
	 * its checksum.
	 */
	keepAnswer(gradient: Float32Array | undefined): void {
		this.#answered = gradient;
	}

	/** Notes that an array is used again, which may be that of the last gradient sent. */
	reuseArray(array: Float32Array): void {
		if (this.#answered && wholeArray(this.#answered) === wholeArray(array)) this.#answered = undefined;
	}

	/** Forgets the numbers, so that they are read again: at once if a request waits for an update, else for the next. */
	drop(): void {
		this.#updates.drop(new Refusal("REFUSAL_STALE_VERSION", `run ${this.#options.runId}: its state was dropped`));
		this.#setVersion(undefined);
		this.#states.drop();
	}

	/** Ends all calls and requests. */
	close(): void {
		this.#closed.abort(new TailtuneError("interrupted", `run ${this.#options.runId} is closed`));
		this.drop();
	}

	async #reach(version: number): Promise<Float32Array> {
		const isReached = await this.#follow(version).catch((error) => {
			if (!isWrongOrOver(error)) throw error;
			return false;
		});
		if (!isReached) {
			const { hasMoments, parameterVersion } = await this.#states.read(version);
			this.#hasMoments = hasMoments;
			this.#setVersion(parameterVersion);
			this.#updates.miss(version);
			await this.#follow(version);
		}
		if (!this.#parameters || this.#version !== version) {
			const found = `reached version ${this.#version}, expected ${version}`;
			throw new Refusal("REFUSAL_STALE_VERSION", `run ${this.#options.runId}: ${found}`);
		}
		this.#view ??= this.#parameters.subarray();
		return this.#view;
	}

	/** Waits until the updates have led to a version. @returns whether they have @throws as `MergedUpdates.reach` */
	async #follow(version: number): Promise<boolean> {
		await this.#updates.reach(version);
		return this.#version === version;
	}

	get #base() {
		if (!this.#state || !this.#hasMoments || this.#version === undefined) return undefined;
		return { version: this.#version, memory: this.#state.update };
	}

	/** @throws Refusal if the update's gradient isn't finite; the state is then unusable */
	#apply(update: Update): void {
		const isUsable = this.#state?.apply(update, this.#options.threads ?? 1);
		this.#setVersion(isUsable ? update.version : undefined);
		if (isUsable) return;
		const found = `the gradient of the update to version ${update.version} isn't finite`;
		throw new Refusal("REFUSAL_NOT_FINITE", `run ${this.#options.runId}: ${found}`);
	}

	/** Drops the present state, and returns the vectors that the next one is written to. */
	#begin({ hasMoments, zeroMoments }: StateHeader): Float32Array[] {
		const { form, parameters, factorTexts } = this.#options.schema;
		this.drop();
		if (hasMoments) this.#state ??= new UpdatableState(form, parameters, factorTexts);
		this.#parameters = this.#state?.parameters ?? this.#parameters ?? allocateVectors(parameters)[0];
		if (!this.#parameters) return [];
		if (!hasMoments || !this.#state) return [this.#parameters];
		const moments = [this.#state.firstMoment, this.#state.secondMoment];
		if (!zeroMoments) return [this.#parameters, ...moments];
		for (const moment of moments) moment.fill(0);
		return [this.#parameters];
	}

	#setVersion(version: number | undefined): void {
		this.#version = version;
		this.#view = undefined;
	}
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
