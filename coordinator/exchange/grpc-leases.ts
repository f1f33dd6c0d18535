import { once } from "node:events";
import type { AttachRequest } from "../../proto/gen/tailtune/v1/AttachRequest.ts";
import type { AttachResponse } from "../../proto/gen/tailtune/v1/AttachResponse.ts";
import { checkProtocolVersion } from "../../shared/exchange/tensor-service.ts";
import { Refusal } from "../../shared/rpc/refusal.ts";

const LONGEST_ID = 200;

export interface LeaseEvents {
	/** Told of a worker that opened a stream. */
	readonly onWorkerConnected?: ((workerId: string) => void) | undefined;
	/** Told of a worker whose last stream has ended, whether it died, left, or was cut off. */
	readonly onWorkerLost?: ((workerId: string) => void) | undefined;
}

/** Which workers hold a stream open to the coordinator. */
export class Leases {
	readonly #events: LeaseEvents;
	readonly #ended = new AbortController();
	/** Open streams of each worker: more than one where it came back before its old stream broke. */
	readonly #open = new Map<string, number>();

	constructor(events: LeaseEvents) {
		this.#events = events;
	}

	/** Workers attached now. */
	get workers(): string[] {
		return [...this.#open.keys()];
	}

	/** Holds a worker's stream; `cutOff` aborts when it breaks. Throws a Refusal where the request isn't usable. */
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

	/** Ends all streams; nobody is lost by that. */
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
