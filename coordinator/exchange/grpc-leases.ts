import { once } from "node:events";
import type { AttachRequest } from "../../proto/gen/tailtune/v1/AttachRequest.ts";
import type { AttachResponse } from "../../proto/gen/tailtune/v1/AttachResponse.ts";
import { checkProtocolVersion } from "../../shared/exchange/tensor-service.ts";
import { Refusal } from "../../shared/rpc/refusal.ts";

const LONGEST_ID = 200;

export interface LeaseEvents {
	/** Called when a worker opens a stream. */
	readonly onWorkerConnected?: ((workerId: string) => void) | undefined;
	/** Called when the last stream of a worker ends: it died, left, or lost its connection. */
	readonly onWorkerLost?: ((workerId: string) => void) | undefined;
}

/** The streams that workers hold open to the coordinator. Their end shows that a worker is gone. */
export class Leases {
	readonly #events: LeaseEvents;
	readonly #ended = new AbortController();
	/** Number of open streams per worker: more than one if it connected again before its old stream broke. */
	readonly #open = new Map<string, number>();

	constructor(events: LeaseEvents) {
		this.#events = events;
	}

	/** Ids of the attached workers. */
	get workers(): string[] {
		return [...this.#open.keys()];
	}

	/**
	 * Holds a worker's stream open.
	 * @param cutOff aborts when the stream breaks
	 * @throws Refusal if the request isn't usable
	 */
	async *attach(request: AttachRequest, cutOff: AbortSignal): AsyncGenerator<AttachResponse> {
		checkProtocolVersion(request);
		const { workerId } = request;
		if (workerId.length === 0 || workerId.length > LONGEST_ID)
			throw new Refusal(
				"REFUSAL_MALFORMED",
				`a worker id of ${workerId.length} characters, expected 1 to ${LONGEST_ID}`,
			);
		const end = AbortSignal.any([cutOff, this.#ended.signal]);
		this.#open.set(workerId, (this.#open.get(workerId) ?? 0) + 1);
		try {
			this.#events.onWorkerConnected?.(workerId);
			yield {};
			if (!end.aborted) await once(end, "abort");
		} finally {
			this.#release(workerId);
		}
	}

	/** Ends all streams without calling `onWorkerLost`. */
	close(): void {
		this.#ended.abort();
	}

	#release(workerId: string): void {
		const others = (this.#open.get(workerId) ?? 0) - 1;
		if (others > 0) this.#open.set(workerId, others);
		else this.#open.delete(workerId);
		if (others <= 0 && !this.#ended.signal.aborted) this.#events.onWorkerLost?.(workerId);
	}
}
