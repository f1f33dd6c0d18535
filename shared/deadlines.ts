// All times that code of both sides, or of deploy/, waits for, in milliseconds. Those of one side only are in its own
// deadlines.ts.

// Work over NATS: how soon a dead worker is noticed, and what an answer may cost.
/** An item that its worker says nothing about for this time goes to another worker. */
export const NATS_ACK_WAIT_MS = 5_000;
/** A worker without a heartbeat for this time is taken for dead. */
export const NATS_HEARTBEAT_LIMIT_MS = 5_000;
/** A request without an answer for this time is made again: it may be lost. */
export const NATS_REQUEST_MS = 2_000;
/** A server that can't be reached within this time when a command starts is reported as not there. */
export const NATS_CONNECT_MS = 5_000;
/**
 * A server that is reached has this time to do what a command asks of it first, for example because it elects a
 * leader.
 */
export const NATS_FIRST_CONTACT_MS = 4_000;
/** Between attempts to reach a server again. */
export const NATS_RECONNECT_MS = 250;
/** First and longest pause between attempts at what a server that is reached can't do yet. */
export const NATS_RETRY_FIRST_MS = 50;
export const NATS_RETRY_LONGEST_MS = 1_000;
/** A pull that waited this long for an item is made again, so that a lost pull costs no more. */
export const NATS_PULL_MS = 5_000;
/** Time that the server has beyond NATS_PULL_MS to say that the wait is over. */
export const NATS_PULL_SLACK_MS = 1_000;
/** Before a pull that was refused is made again. */
export const NATS_PULL_RETRY_MS = 200;
/** Before a bucket that doesn't exist, or that can't be read, is read again. */
export const NATS_FOLLOW_RETRY_MS = 250;
/** A message that is published again within this time is stored once. */
export const NATS_DUPLICATE_WINDOW_MS = 120_000;
/** A worker's last message and the last flush have this time: the server may be gone. */
export const NATS_CLOSE_MS = 1_000;

// Calls over gRPC. Slower than NATS's heartbeats, which notice a silent worker first.
/** A connection without traffic for this time is asked whether the other side is still there. */
export const RPC_KEEPALIVE_MS = 5_000;
/** The connection is closed if that question isn't answered within this time. */
export const RPC_KEEPALIVE_ANSWER_MS = 10_000;
/** A call is ended if the other side says nothing for this time: its process may hang behind an open connection. */
export const CALL_SILENCE_MS = 15_000;
/** As CALL_SILENCE_MS, for an answer that has to be computed first, such as the hashes of a model's files. */
export const ANSWER_SILENCE_MS = 120_000;
/** First and longest pause between attempts to connect. */
export const RPC_RECONNECT_FIRST_MS = 100;
export const RPC_RECONNECT_LONGEST_MS = 2_000;
/** From the first byte of a message to its last: a caller must not hold memory for longer. */
export const RPC_MESSAGE_MS = 60_000;

// Downloads.
/** A server that doesn't begin to answer within this time is given up. */
export const DOWNLOAD_ANSWER_MS = 5_000;
/** A download without a byte for this time is given up. */
export const DOWNLOAD_STALL_MS = 20_000;
/** A download that isn't complete after this time is given up: gigabytes over a slow line fit in. */
export const DOWNLOAD_TOTAL_MS = 6 * 3_600_000;
/** Before a request that failed is repeated. */
export const DOWNLOAD_RETRY_MS = 300;
/** Between attempts to lock a file that another process downloads. */
export const DOWNLOAD_LOCK_POLL_MS = 200;

// Programs and threads.
/** A program that prepares something (pip, npm, a compiler) is ended after this time. */
export const PROGRAM_MS = 15 * 60_000;
/** A download of a prebuilt package is ended after this time; it is built here then. */
export const PREBUILT_DOWNLOAD_MS = 5 * 60_000;
/**
 * One wait for other kernel threads. Short, because a long wait would be over when a stopped process (SIGSTOP)
 * continues.
 */
export const KERNEL_WAIT_MS = 1_000;

/** A fault that lasts for less than this time is not reported. */
export const NOTICE_AFTER_MS = 1_000;

/** Shortest time between two plain lines of progress, as in a log. */
export const PROGRESS_LINE_MS = 5_000;
