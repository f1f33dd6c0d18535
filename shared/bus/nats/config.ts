import type { BusTiming } from "../bus.ts";

/** Time-outs of a NATS bus unless said otherwise. */
export const NATS_TIMING: BusTiming = { ackWaitMs: 5000, heartbeatLimitMs: 5000 };

/** A request that the server has not answered for so long is made again. */
export const REQUEST_MS = 2000;

/** A server not reached for so long at the start is not there. */
export const CONNECT_MS = 5000;

/** A server that is reached, but can't do what is asked of it first, is given so long. */
export const FIRST_CONTACT_MS = 4000;

/** Between attempts to reach the server again, and between those at what it can't do yet. */
export const RECONNECT_WAIT_MS = 250;
export const RETRY_MIN_MS = 50;
export const RETRY_MAX_MS = 1000;

/** A pull that waited so long for an item is made anew, so that a lost one costs no more. */
export const PULL_MS = 5000;
/** What the server is given beyond that to say that the wait is over. */
export const PULL_SLACK_MS = 1000;
/** Before a pull that was refused is made again. */
export const PULL_RETRY_MS = 200;

/** Answers that a coordinator asks for at once: one by one, each would cost a round trip. */
export const ANSWERS_AT_ONCE = 64;

/** Before a bucket that doesn't exist, or that can't be read, is read again. */
export const FOLLOW_RETRY_MS = 250;

/** Marks of retired runs that stay in the bucket of runs; older ones are removed. */
export const RETIRED_KEPT = 100;

/** A publish that is repeated within this time is stored once. */
export const DUPLICATE_WINDOW_MS = 120_000;

/** Good-bye and a last flush wait no longer than this. */
export const FAREWELL_MS = 1000;

/** What headers may take of the server's limit on a message. */
export const HEADER_BYTES = 1024;
