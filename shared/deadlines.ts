// All time-outs and pauses that both sides, or deploy/, use, in milliseconds. Those of one side only are in its own
// deadlines.ts.

// Work over NATS.
/** An item for which its worker sends no heartbeat for this time is delivered again. */
export const NATS_ACK_WAIT_MS = 5_000;
/** A worker without a heartbeat for this time is dropped. */
export const NATS_HEARTBEAT_LIMIT_MS = 5_000;
/** A request without an answer for this time is repeated, because it may be lost. */
export const NATS_REQUEST_MS = 2_000;
/** A command fails if it can't connect to the server within this time. */
export const NATS_CONNECT_MS = 5_000;
/** After connecting, the first request must succeed within this time; the server may have to elect a leader first. */
export const NATS_FIRST_CONTACT_MS = 4_000;
/** Pause between attempts to connect again. */
export const NATS_RECONNECT_MS = 250;
/** First and longest pause before a request that a connected server can't serve yet is repeated. */
export const NATS_RETRY_FIRST_MS = 50;
export const NATS_RETRY_LONGEST_MS = 1_000;
/** Life of a pull request that waits for an item; then it is repeated, because it may be lost. */
export const NATS_PULL_MS = 5_000;
/** Time after NATS_PULL_MS in which the server reports that a pull request has expired. */
export const NATS_PULL_SLACK_MS = 1_000;
/** Pause before a pull request that was refused is repeated. */
export const NATS_PULL_RETRY_MS = 200;
/** Pause before a bucket that doesn't exist, or that can't be read, is read again. */
export const NATS_FOLLOW_RETRY_MS = 250;
/** A message that is published again within this time is stored once. */
export const NATS_DUPLICATE_WINDOW_MS = 120_000;
/** Longest wait for a worker's last message and for the last flush, because the server may be gone. */
export const NATS_CLOSE_MS = 1_000;

// Calls over gRPC. Longer than NATS's heartbeat limit, so heartbeats notice a silent worker first.
/** A connection without traffic for this time gets a keepalive ping. */
export const RPC_KEEPALIVE_MS = 5_000;
/** The connection is closed if the ping isn't answered within this time. */
export const RPC_KEEPALIVE_ANSWER_MS = 10_000;
/** A call is ended if the other side sends nothing for this time: its process may hang with its connection open. */
export const CALL_SILENCE_MS = 15_000;
/** As CALL_SILENCE_MS, for an answer that has to be computed first, such as the hashes of a model's files. */
export const ANSWER_SILENCE_MS = 120_000;
/** First and longest pause between attempts to connect. */
export const RPC_RECONNECT_FIRST_MS = 100;
export const RPC_RECONNECT_LONGEST_MS = 2_000;
/** Longest time from the first byte of a message to its last, because the server keeps its bytes in memory. */
export const RPC_MESSAGE_MS = 60_000;

// Downloads.
/** A server must begin to answer within this time. */
export const DOWNLOAD_ANSWER_MS = 5_000;
/** A download without a byte for this time fails. */
export const DOWNLOAD_STALL_MS = 20_000;
/** Longest time of a download: enough for gigabytes over a slow line. */
export const DOWNLOAD_TOTAL_MS = 6 * 3_600_000;
/** Pause before a failed request is repeated. */
export const DOWNLOAD_RETRY_MS = 300;
/** Pause between attempts to lock a file that another process downloads. */
export const DOWNLOAD_LOCK_POLL_MS = 200;

// Programs and threads.
/** A program that prepares something (pip, npm, a compiler) is ended after this time. */
export const PROGRAM_MS = 15 * 60_000;
/** A download of a prebuilt package is ended after this time; the package is then built here. */
export const PREBUILT_DOWNLOAD_MS = 5 * 60_000;
/**
 * One wait for other kernel threads. Several short ones, because time in which the process is stopped (SIGSTOP) counts:
 * one long wait could end at once when the process continues.
 */
export const KERNEL_WAIT_MS = 1_000;

/** A fault that lasts for less than this time is not reported. */
export const NOTICE_AFTER_MS = 1_000;

/** Shortest time between two plain lines of progress, as in a log. */
export const PROGRESS_LINE_MS = 5_000;
