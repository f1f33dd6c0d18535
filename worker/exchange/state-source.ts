import type { GetStateRequest } from "../../proto/gen/tailtune/v1/GetStateRequest.ts";
import type { GetStateResponse } from "../../proto/gen/tailtune/v1/GetStateResponse.ts";
import type { GetUpdatesRequest } from "../../proto/gen/tailtune/v1/GetUpdatesRequest.ts";
import type { UpdatePart } from "../../proto/gen/tailtune/v1/UpdatePart.ts";

/** The request for a state, without the fields that are the same for a whole run. */
export type WantedState = Pick<GetStateRequest, "parameterVersion" | "stateVersion" | "byteOffset">;

/** The request for updates, likewise. */
export type WantedUpdates = Pick<GetUpdatesRequest, "parameterVersion" | "refusedParts">;

/** The coordinator's state and updates of one run. A call ends with an error if the coordinator is silent too long. */
export interface StateSource {
	/** Reads a state; ends when `signal` aborts. */
	getState(wanted: WantedState, signal: AbortSignal): AsyncIterable<GetStateResponse>;
	/** Reads all updates after a version, up to the newest one; ends when `signal` aborts. */
	getUpdates(wanted: WantedUpdates, signal: AbortSignal): AsyncIterable<UpdatePart>;
	/** Yields what is published to all workers from now on, until `signal` aborts. Parts may be missing or wrong. */
	watchUpdates(signal: AbortSignal): AsyncIterable<UpdatePart>;
}
