// Original file: proto/tailtune/v1/work.proto

import type { RunScoreInput as _tailtune_v1_RunScoreInput, RunScore as _tailtune_v1_RunScore } from '../../tailtune/v1/RunScore.ts';
import type { WorkerProgressInput as _tailtune_v1_WorkerProgressInput, WorkerProgress as _tailtune_v1_WorkerProgress } from '../../tailtune/v1/WorkerProgress.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * Progress of a run, published by the coordinator about every second for `tailtune runs`.
 */
export interface RunProgressInput {
  'runId'?: (string);
  /**
   * Host and folder of the results.
   */
  'host'?: (string);
  'folder'?: (string);
  /**
   * The current phase, for example "training", and its progress: done of total units, for example "steps".
   */
  'phase'?: (string);
  'done'?: (number);
  'total'?: (number);
  'unit'?: (string);
  /**
   * Epochs finished and planned.
   */
  'epoch'?: (number);
  'epochs'?: (number);
  /**
   * Scores of the last finished epoch.
   */
  'validation'?: (_tailtune_v1_RunScoreInput | null);
  /**
   * Current problems of the run, one line each.
   */
  'notices'?: (string)[];
  /**
   * Name of the run, empty if it has none; names of its model and of its data.
   */
  'name'?: (string);
  'model'?: (string);
  'data'?: (string);
  /**
   * When the coordinator's process started or resumed the run, in milliseconds since 1970 (UTC).
   */
  'startedAtMs'?: (number | string | Long);
  /**
   * Estimated seconds for the rest of the phase; 0 if unknown.
   */
  'secondsLeft'?: (number | string);
  /**
   * Workers that have taken part: at most 100, those present first.
   */
  'workers'?: (_tailtune_v1_WorkerProgressInput)[];
}

/**
 * Progress of a run, published by the coordinator about every second for `tailtune runs`.
 */
export interface RunProgress {
  'runId': (string);
  /**
   * Host and folder of the results.
   */
  'host': (string);
  'folder': (string);
  /**
   * The current phase, for example "training", and its progress: done of total units, for example "steps".
   */
  'phase': (string);
  'done': (number);
  'total': (number);
  'unit': (string);
  /**
   * Epochs finished and planned.
   */
  'epoch': (number);
  'epochs': (number);
  /**
   * Scores of the last finished epoch.
   */
  'validation': (_tailtune_v1_RunScore | null);
  /**
   * Current problems of the run, one line each.
   */
  'notices': (string)[];
  /**
   * Name of the run, empty if it has none; names of its model and of its data.
   */
  'name': (string);
  'model': (string);
  'data': (string);
  /**
   * When the coordinator's process started or resumed the run, in milliseconds since 1970 (UTC).
   */
  'startedAtMs': (number);
  /**
   * Estimated seconds for the rest of the phase; 0 if unknown.
   */
  'secondsLeft': (number);
  /**
   * Workers that have taken part: at most 100, those present first.
   */
  'workers': (_tailtune_v1_WorkerProgress)[];
}
