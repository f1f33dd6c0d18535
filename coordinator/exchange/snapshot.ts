import type { GetStateResponse } from "../../proto/gen/tailtune/v1/GetStateResponse.ts";
import type { PublishedState } from "../../shared/exchange/tensor-exchange.ts";
import { KeptParts } from "../../shared/exchange/tensor-stream.ts";

/** A state as messages, for all workers that join while the log leads from it to the current version. */
export class Snapshot {
	readonly version: number;
	readonly hasMoments: boolean;
	readonly #hasZeroMoments: boolean;
	readonly #parts: KeptParts;
	#isDropped = false;

	/** While the run trains, the state is copied, because it changes before a slow worker has read it. */
	constructor(version: number, { parameters, firstMoment, secondMoment }: PublishedState) {
		const moments = firstMoment && secondMoment ? [firstMoment, secondMoment] : [];
		this.version = version;
		this.hasMoments = moments.length > 0;
		this.#hasZeroMoments = this.hasMoments && moments.every(isZero);
		const vectors = this.#hasZeroMoments ? [parameters] : [parameters, ...moments];
		this.#parts = new KeptParts(...(this.hasMoments ? vectors.map((vector) => vector.slice()) : vectors));
	}

	/** Ends the streams that send this state: its memory may have other numbers now, or no updates lead on from it. */
	drop(): void {
		this.#isDropped = true;
	}

	/**
	 * Returns the header and then the messages after the first bytes, for a worker that has these.
	 * @param onDropped returns the error to throw if the state is dropped before all messages were sent
	 * @throws Refusal if the bytes aren't whole chunks
	 */
	*after(byteOffset: number, onDropped: () => Error): Generator<GetStateResponse> {
		const parts = this.#parts.after(byteOffset);
		const { version: parameterVersion, hasMoments } = this;
		const header = { parameterVersion, hasMoments, zeroMoments: this.#hasZeroMoments, byteOffset };
		yield { header } as GetStateResponse;
		for (const part of parts) {
			if (this.#isDropped) throw onDropped();
			yield part as GetStateResponse;
		}
	}
}

/** Whether all bits are 0. Minus zero would become zero. */
function isZero({ buffer, byteOffset, length }: Float32Array): boolean {
	return new Uint32Array(buffer, byteOffset, length).every((bits) => bits === 0);
}
