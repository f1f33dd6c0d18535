import type { UpdatePart } from "../../proto/gen/tailtune/v1/UpdatePart.ts";
import { TailtuneError } from "../../shared/errors.ts";
import type { AnswerReceiver, PublishedState, PublishUpdate } from "../../shared/exchange/tensor-exchange.ts";
import type { TensorSchema } from "../../shared/exchange/tensor-schema.ts";
import { Refusal } from "../../shared/rpc/refusal.ts";
import type { Update } from "../../shared/updates/updatable-state.ts";
import { CurrentState, type PublishedVersion } from "./current-state.ts";
import { Snapshot } from "./snapshot.ts";
import { UpdateLog, type UpdateLogOptions } from "./update-log.ts";
import { withoutNumbers } from "./update-parts.ts";

export interface ServedRunOptions extends UpdateLogOptions {
	readonly runId: string;
	readonly schema: TensorSchema;
	readonly answers: AnswerReceiver;
	/** Publishes updates to all workers at once. Default: each worker reads each update. */
	readonly publish?: PublishUpdate | undefined;
}

/** A run that is open at the coordinator: its state and its updates. */
export class ServedRun {
	readonly schema: TensorSchema;
	readonly answers: AnswerReceiver;
	/** Arrays for the next gradients. */
	readonly free: Float32Array[] = [];
	readonly #options: ServedRunOptions;
	readonly #state = new CurrentState();
	#snapshot: Snapshot | undefined;
	/** Unset before the first step. */
	#log: UpdateLog | undefined;

	constructor(options: ServedRunOptions) {
		this.#options = options;
		this.schema = options.schema;
		this.answers = options.answers;
	}

	close(): void {
		this.#state.close();
		this.#dropSnapshot();
		this.#log?.close();
	}

	/** @throws TailtuneError "protocol" if the state has another number of parameters than the run */
	publishState(version: number, state: PublishedState): void {
		const { runId, schema } = this.#options;
		const { length } = state.parameters;
		if (length !== schema.parameters)
			throw new TailtuneError("protocol", `run ${runId}: ${length} parameters, expected ${schema.parameters}`);
		const { current } = this.#state;
		if (current?.version === version && current.vectors.parameters === state.parameters) return;
		this.dropState();
		if (state.firstMoment && this.#log?.newest !== version) {
			this.#log?.close();
			this.#log = new UpdateLog(version, this.#options);
			this.#dropSnapshot();
		}
		this.#state.publish(version, state);
	}

	/** Ends the use of the current state's memory. @param version does nothing if it isn't the current one */
	dropState(version = this.#state.current?.version): void {
		if (this.#state.current?.version !== version) return;
		this.#state.drop();
		if (this.#snapshot && !this.#snapshot.hasMoments) this.#dropSnapshot();
	}

	/**
	 * @param isKnown whether the only worker has its numbers
	 * @throws TailtuneError "protocol" if it isn't the next update
	 */
	publishUpdate(update: Update, isKnown: boolean): void {
		const { runId, publish } = this.#options;
		if (this.#log?.newest !== update.version - 1)
			throw new TailtuneError("protocol", `run ${runId}: an update to ${update.version} after ${this.#log?.newest}`);
		const parts = this.#log.append(update);
		this.#state.expect(update.version);
		if (this.#snapshot && !this.#log.reachesFrom(this.#snapshot.version)) this.#dropSnapshot();
		publish?.(isKnown ? [withoutNumbers(update)] : parts);
	}

	/** Counts the arrays that are kept. */
	get held(): { readonly states: number; readonly updates: number; readonly free: number } {
		const states = Number(!!this.#state.current) + Number(!!this.#snapshot);
		return { states, updates: this.#log?.length ?? 0, free: this.free.length };
	}

	/**
	 * Returns a state that leads to a version, which has to be the current one. All workers that join share a copy.
	 * @throws Refusal if it isn't the current one
	 */
	async snapshotFor(version: number): Promise<Snapshot> {
		const { vectors } = await this.#waitFor(version);
		const kept = this.#snapshot;
		if (kept && (kept.version === version || (kept.hasMoments && vectors.firstMoment))) return kept;
		this.#dropSnapshot();
		this.#snapshot = new Snapshot(version, vectors);
		return this.#snapshot;
	}

	/** Returns the parts of all updates after a version. @throws Refusal if the next one isn't kept */
	updatesAfter(version: number): Iterable<UpdatePart> {
		const onGap = () => this.staleVersion(version);
		if (!this.#log) throw onGap();
		return this.#log.after(version, onGap);
	}

	/**
	 * Checks the parameters with which an answer was computed.
	 * @throws Refusal if they differ from the current ones of this version
	 */
	async checkFingerprint(version: number, found: number | null | undefined): Promise<void> {
		const { fingerprint } = await this.#waitFor(version);
		if (found === fingerprint) return;
		const expected = `expected fingerprint ${fingerprint} of version ${version}`;
		throw new Refusal("REFUSAL_DIVERGED", `computed with parameters of fingerprint ${found}, ${expected}`);
	}

	/** Checks the schema of a caller. @throws Refusal if its base weights, layout or form of gradients differ */
	checkSchema(found: string): void {
		const { runId, schema } = this.#options;
		if (found === schema.hash) return;
		throw new Refusal("REFUSAL_SCHEMA", `run ${runId}: found schema ${JSON.stringify(found)}, expected ${schema.hash}`);
	}

	/** Creates the refusal of a version that isn't current, or from which the log doesn't lead to the current one. */
	staleVersion(version: number): Refusal {
		const text = `run ${this.#options.runId} has no state or updates for version ${version}`;
		return new Refusal("REFUSAL_STALE_VERSION", text);
	}

	#waitFor(version: number): Promise<PublishedVersion> {
		return this.#state.waitFor(version, () => this.staleVersion(version));
	}

	/** Ends the streams that send the snapshot, so that slow workers don't keep old ones in memory. */
	#dropSnapshot(): void {
		this.#snapshot?.drop();
		this.#snapshot = undefined;
	}
}
