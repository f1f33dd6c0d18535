import { RPC_MESSAGE_MS } from "../deadlines.ts";

/** Largest message that either side accepts, in bytes; a chunk of a tensor is a quarter of it. */
export const MAX_MESSAGE_BYTES = 4 << 20;

/** Flow-control window: bytes that a sender may send on a connection before the receiver has read them. */
export const WINDOW_BYTES = 8 << 20;

/** Limits on the unfinished calls of a server. */
export interface CallLimits {
	/** Most connections; more are closed at once. */
	readonly connections: number;
	/** Most calls per connection, and on all connections together. */
	readonly streams: number;
	readonly calls: number;
	/** Most calls of services that need no token, on all connections together; they count in `calls` too. */
	readonly openCalls: number;
	/** Most bytes of one call's headers. */
	readonly headerBytes: number;
	/** Most bytes of requests that aren't complete or not answered yet, of all calls together. */
	readonly heldBytes: number;
	/** Most milliseconds from the first byte of a message to its last, and while no part of an answer is read. */
	readonly messageMs: number;
}

export const CALL_LIMITS: CallLimits = {
	connections: 1024,
	streams: 128,
	calls: 4096,
	openCalls: 256,
	headerBytes: 16 << 10,
	heldBytes: 256 << 20,
	messageMs: RPC_MESSAGE_MS,
};
