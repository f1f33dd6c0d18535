import { NATS_ACK_WAIT_MS, NATS_HEARTBEAT_LIMIT_MS } from "../../deadlines.ts";
import type { BusTiming } from "../bus.ts";

/** Time-outs of a NATS bus unless said otherwise. */
export const NATS_TIMING: BusTiming = { ackWaitMs: NATS_ACK_WAIT_MS, heartbeatLimitMs: NATS_HEARTBEAT_LIMIT_MS };

/** Marks of retired runs that stay in the bucket of runs; older ones are removed. */
export const RETIRED_KEPT = 100;
/** Marks that a process remembers; older ones are removed by a coordinator that reads the bucket anew. */
export const RETIRED_KNOWN = 1000;

/** What headers may take of the server's limit on a message. */
export const HEADER_BYTES = 1024;
