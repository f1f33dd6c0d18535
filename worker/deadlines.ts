// All time-outs and pauses that only workers use, in milliseconds. Those of both sides are in shared/deadlines.ts.

/** Number of heartbeats that a worker sends, for itself and for its items, within one time-out. */
export const HEARTBEATS_PER_TIMEOUT = 3;

/** First and longest pause before a worker repeats an item after a fault of its own; doubled each time. */
export const WORKER_RETRY_FIRST_MS = 500;
export const WORKER_RETRY_LONGEST_MS = 30_000;
/** First pause before a call to the coordinator is repeated; doubled each time. */
export const CALL_RETRY_FIRST_MS = 100;
/** A published update of which no part arrives for this time is read from the coordinator. */
export const UPDATE_SILENCE_MS = 500;
/** Time for a GPU's worker process to finish its item after it was asked to stop; then it is killed. */
export const GPU_WORKER_STOP_MS = 60_000;
/** nvidia-smi is ended after this time, because with a broken driver it never answers. */
export const NVIDIA_SMI_MS = 10_000;
/** `doctor` measures matrix products for at least this time. */
export const MEASURE_MS = 100;
