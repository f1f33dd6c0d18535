// All time-outs and pauses that only the coordinator uses, in milliseconds. Those of both sides are in
// shared/deadlines.ts.

// Models and data sets.
/** The hub has this time for an answer about a repository; the files themselves have DOWNLOAD_STALL_MS. */
export const HUB_ANSWER_MS = 5_000;
/** As HUB_ANSWER_MS, after the last byte of an upload: the hub stores and checks the file first. */
export const HUB_UPLOAD_ANSWER_MS = 120_000;
/** If the server of a small data set sends nothing for this time, a second server or a bundled set is used. */
export const DATA_SET_SILENCE_MS = 4_000;

// Processes that a run starts.
/** First and longest pause before a process that the run started, and that ended, is started again. */
export const RESTART_FIRST_MS = 50;
export const RESTART_LONGEST_MS = 1_000;
/** A worker process that was asked to end has this time for its item; then it is killed. */
export const LOCAL_WORKER_STOP_MS = 5_000;
/** A process of a sweep's trials has this time to end after the last one; then it is killed. */
export const TRIAL_PROCESS_STOP_MS = 5_000;
/** A nats-server must be ready within this time: its first start on a slow disk may take long. */
export const NATS_SERVER_START_MS = 60_000;
/** A nats-server that was asked to end has this time to store its streams; then it is killed. */
export const NATS_SERVER_STOP_MS = 10_000;
/** The server of `train --serve` has this time until it listens: on a busy machine, loading the program takes long. */
export const RUN_SERVER_START_MS = 60_000;
/** The server of `train --serve` has this time after SERVE_DRAIN_MS and SERVE_FLUSH_MS to end; then it is killed. */
export const RUN_SERVER_STOP_MS = 30_000;

// Workers.
/** At the start of a run, a lack of workers is reported after this time, in which running workers join. */
export const FIRST_WORKER_MS = 2_000;
/** Workers that wait for the first coordinator join within this time of each other. */
export const OTHER_WORKERS_MS = 1_000;
/** A worker that reported a fault gets shards that others could take only after this time, doubled each time. */
export const SUSPENSION_FIRST_MS = 30_000;
export const SUSPENSION_LONGEST_MS = 600_000;
/** At the end of a run, the bus has this time to tell workers that it is over. */
export const RUN_CLOSE_MS = 5_000;

// Commands that look at a cluster.
/** A cluster must answer within this time, unless it is watched. */
export const CLUSTER_ANSWER_MS = 5_000;
/** How often `tailtune cancel` asks whether the run has ended. */
export const CANCEL_POLL_MS = 250;
/** How often `tailtune runs --watch` prints. */
export const RUNS_WATCH_MS = 1_000;

// Progress.
/** Delay before a quick command prints its first line. If it prints something else earlier, there is no such line. */
export const SILENCE_MS = 1_000;
/** Shortest time between two drawings of a bar, and longest one, because the time that is left changes. */
export const BAR_REDRAW_MS = 100;
/** How often a run publishes its progress. */
export const PROGRESS_PUBLISH_MS = 1_000;
/** How often a run reports what each worker does, if a listener wants details. */
export const WORKERS_REPORT_MS = 1_000;

// Trackers.
/** A tracker that failed is tried again after this time. */
export const TRACKER_RETRY_MS = 10_000;
/** At the end of a run, a tracker has this time for evaluations that it hasn't recorded yet. */
export const TRACKER_END_MS = 10_000;
/** An MLflow server that gives no answer to a request within this time counts as failed. */
export const MLFLOW_ANSWER_MS = 5_000;

// Dashboard.
/** Shortest time between two messages to a viewer. */
export const VIEWER_MESSAGE_MS = 250;
/** How often the files of a run are compared with those that a page shows. */
export const RUN_FILES_MS = 1_000;
/** A finished run waits for its viewers at most this long; the process then ends. */
export const VIEWERS_STAY_MS = 3_600_000;
/** A text in the box of the page has this time for its answer, including the time to open the model. */
export const BOX_ANSWER_MS = 60_000;
/** At the end a viewer must take the last messages within this time. */
export const VIEWER_END_MS = 2_000;
/** A page that is loaded again returns within this time. */
export const VIEWER_RETURN_MS = 3_000;

// Serving.
/** How often the run's model is compared with the one that is served. */
export const MODEL_POLL_MS = 1_000;
/** Time for unfinished calls, and then (SERVE_FLUSH_MS) for sending their answers: together below 10 s. */
export const SERVE_DRAIN_MS = 8_000;
export const SERVE_FLUSH_MS = 1_500;
/** How often Node checks for HTTP requests that take too long. */
export const HTTP_CHECK_MS = 5_000;
/** How often a folder is marked as in use, for hosts and containers that see the folder but not this process. */
export const COPY_MARK_MS = 3_600_000;
/** A folder of another host or container that wasn't marked for this time belongs to no process. */
export const COPY_ABANDONED_MS = 24 * COPY_MARK_MS;
