/** Largest message that either side takes, in bytes; a chunk of a tensor is a quarter of it. */
export const MAX_MESSAGE_BYTES = 4 << 20;

/** What a sender may have under way on a connection before the receiver has read it, in bytes. */
export const WINDOW_BYTES = 8 << 20;

/**
 * A connection that is quiet for so long is asked whether the other side is still there, and given up without an answer
 * within the limit. Slower than a bus's heartbeats, which notice a silent worker first: this cleans up after it. A killed
 * process needs neither, its connections break at once.
 */
export const KEEPALIVE_MS = 5_000;
export const KEEPALIVE_LIMIT_MS = 10_000;

/**
 * A call is ended if the other side says nothing for so long: a connection that stands doesn't show that whoever is behind
 * it does anything.
 */
export const CALL_SILENCE_MS = 15_000;

/** The same for an answer that has to be computed first, such as the hashes of a model's files. */
export const ANSWER_SILENCE_MS = 120_000;

/** First and longest wait between tries to connect. */
export const RECONNECT_FIRST_MS = 100;
export const RECONNECT_LONGEST_MS = 2_000;

/** How much callers of a server may have under way at the same time. */
export interface CallLimits {
	/** Connections; more are closed at once. */
	readonly connections: number;
	/** Calls on one connection, and on all of them together. */
	readonly streams: number;
	readonly calls: number;
	/** Calls of services that ask for no token, on all connections together: part of `calls`. */
	readonly openCalls: number;
	/** Bytes of one call's headers. */
	readonly headerBytes: number;
	/** Bytes of requests that aren't complete, or not answered yet, of all calls together. */
	readonly heldBytes: number;
	/** Milliseconds from the first byte of a message to its last. */
	readonly messageMs: number;
}

export const CALL_LIMITS: CallLimits = {
	connections: 1024,
	streams: 128,
	calls: 4096,
	openCalls: 256,
	headerBytes: 16 << 10,
	heldBytes: 256 << 20,
	messageMs: 60_000,
};
