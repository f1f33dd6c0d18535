import { NATS_ACK_WAIT_MS, NATS_HEARTBEAT_LIMIT_MS } from "../../deadlines.ts";
import type { BusTiming } from "../bus.ts";

/** Default time-outs of a NATS bus. */
export const NATS_TIMING: BusTiming = { ackWaitMs: NATS_ACK_WAIT_MS, heartbeatLimitMs: NATS_HEARTBEAT_LIMIT_MS };

/** Number of entries of retired runs that stay in the bucket of runs; older ones are removed. */
export const RETIRED_KEPT = 100;
/** Number of retired runs that a process remembers. A coordinator that reads the bucket again removes older entries. */
export const RETIRED_KNOWN = 1000;

/**
 * Most bytes of updates on their way to the server; a larger update isn't published. The server disconnects a
 * subscriber for which 64 MB wait, and heartbeats wait behind an update.
 */
export const MOST_UPDATE_BYTES = 32 << 20;

/** Bytes reserved for headers within the server's limit for a message. */
export const HEADER_BYTES = 1024;
