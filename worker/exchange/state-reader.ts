import type { StateHeader } from "../../proto/gen/tailtune/v1/StateHeader.ts";
import { TensorReceiver } from "../../shared/exchange/tensor-stream.ts";
import { Refusal } from "../../shared/rpc/refusal.ts";
import { isWrongOrOver } from "./is-wrong-or-over.ts";
import { readState } from "./read-state.ts";
import type { StateSource } from "./state-source.ts";

export interface StateReaderOptions {
	readonly runId: string;
	readonly source: StateSource;
	/** Called when a state begins to arrive. Returns the vectors that it is written to. */
	readonly begin: (header: StateHeader) => readonly Float32Array[];
	/** Ends all calls when it aborts. */
	readonly closed: AbortSignal;
}

/** A state that hasn't arrived to its end. It lies in the memory of its vectors. */
interface HalfRead {
	readonly header: StateHeader;
	readonly receiver: TensorReceiver;
}

/** Reads the state of a run, and continues one whose stream broke. */
export class StateReader {
	readonly #options: StateReaderOptions;
	/** Set while a state is read, and after its stream broke. */
	#halfRead: HalfRead | undefined;

	constructor(options: StateReaderOptions) {
		this.#options = options;
	}

	/**
	 * Reads the state of this version, or of an earlier one from which the updates lead to it. A state whose stream broke
	 * is continued, or read from its beginning if it doesn't fit the coordinator's. If the coordinator refuses, nothing
	 * is written, because an item that is no longer needed may ask for an old version.
	 */
	async read(version: number): Promise<StateHeader> {
		const isContinued = !!this.#halfRead;
		try {
			return await this.#read(version);
		} catch (error) {
			if (!isContinued || !(error instanceof Refusal && error.reason === "REFUSAL_OFFSET")) throw error;
			return this.#read(version);
		}
	}

	/** Forgets a state that hasn't arrived to its end. */
	drop(): void {
		this.#halfRead = undefined;
	}

	async #read(parameterVersion: number): Promise<StateHeader> {
		const { runId, source, closed } = this.#options;
		const { header, receiver } = this.#halfRead ?? {};
		const has = { stateVersion: header?.parameterVersion ?? 0, byteOffset: receiver?.received ?? 0 };
		const messages = source.getState({ parameterVersion, ...has }, closed);
		try {
			const found = await readState(messages, runId, (begun) => this.#receiverFor(begun));
			this.#halfRead = undefined;
			return found;
		} catch (error) {
			// After a refusal the numbers may be wrong; after a broken connection they are those that were sent.
			if (isWrongOrOver(error)) this.#halfRead = undefined;
			throw error;
		}
	}

	/** Returns the receiver of a state's chunks. @throws Refusal if they don't begin with the number that it needs */
	#receiverFor(header: StateHeader): TensorReceiver {
		const { parameterVersion, hasMoments, zeroMoments, byteOffset } = header;
		if (byteOffset === 0) {
			const receiver = new TensorReceiver(...this.#options.begin(header));
			this.#halfRead = { header, receiver };
			return receiver;
		}
		const { header: begun, receiver } = this.#halfRead ?? {};
		const isSame =
			begun?.parameterVersion === parameterVersion &&
			begun.hasMoments === hasMoments &&
			begun.zeroMoments === zeroMoments;
		if (receiver && isSame && receiver.received === byteOffset) return receiver;
		const found = `version ${parameterVersion} from byte ${byteOffset} on`;
		const expected = `expected version ${begun?.parameterVersion} from byte ${receiver?.received ?? 0} on, or byte 0`;
		throw new Refusal("REFUSAL_OFFSET", `run ${this.#options.runId}: ${found}, ${expected}`);
	}
}
