import { EventEmitter, once } from "node:events";
import type { PublishedState } from "../../shared/exchange/tensor-exchange.ts";
import { fingerprintOf } from "../../shared/vectors/fingerprint.ts";

/** A state that was published. */
export class PublishedVersion {
	readonly version: number;
	readonly vectors: PublishedState;
	#fingerprint: number | undefined;

	constructor(version: number, vectors: PublishedState) {
		this.version = version;
		this.vectors = vectors;
	}

	/** Of the parameters; computed once. */
	get fingerprint(): number {
		this.#fingerprint ??= fingerprintOf(this.vectors.parameters);
		return this.#fingerprint;
	}
}

/** The current state of a run. */
export class CurrentState {
	#current: PublishedVersion | undefined;
	/** Version whose update was sent, but whose state isn't published yet. */
	#pending: number | undefined;
	readonly #changes = new EventEmitter().setMaxListeners(0);

	/** Undefined while there is none. */
	get current(): PublishedVersion | undefined {
		return this.#current;
	}

	publish(version: number, vectors: PublishedState): void {
		const current = new PublishedVersion(version, vectors);
		this.#current = current;
		this.#pending = undefined;
		this.#changes.emit("state");
		// Its fingerprint is soon needed for the answers; now the workers compute, and the coordinator is idle.
		if (vectors.firstMoment) setImmediate(() => this.#current === current && current.fingerprint);
	}

	/** Notes that the update to a version was sent. */
	expect(version: number): void {
		this.#pending = version;
	}

	drop(): void {
		this.#current = undefined;
	}

	/** Ends all waits. */
	close(): void {
		this.drop();
		this.#pending = undefined;
		this.#changes.emit("state");
	}

	/**
	 * Returns the current state. If its update was sent, but the coordinator hasn't applied it yet, waits for it.
	 * @param onOther returns the error to throw if it has another version
	 */
	async waitFor(version: number, onOther: () => Error): Promise<PublishedVersion> {
		while (this.#current?.version !== version) {
			if (this.#pending !== version) throw onOther();
			await once(this.#changes, "state");
		}
		return this.#current;
	}
}
