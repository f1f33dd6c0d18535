// Original file: proto/tailtune/v1/work.proto

import type { Long } from '@grpc/proto-loader';

/**
 * State and work of a worker in a run.
 */
export interface WorkerProgressInput {
  'workerId'?: (string);
  /**
   * "computing", "waiting", "silent", "suspended" or "left".
   */
  'state'?: (string);
  /**
   * Relative to the average worker, which has 1.
   */
  'speed'?: (number | string);
  /**
   * Texts of the run, or windows of texts, in its accepted answers.
   */
  'texts'?: (number | string | Long);
}

/**
 * State and work of a worker in a run.
 */
export interface WorkerProgress {
  'workerId': (string);
  /**
   * "computing", "waiting", "silent", "suspended" or "left".
   */
  'state': (string);
  /**
   * Relative to the average worker, which has 1.
   */
  'speed': (number);
  /**
   * Texts of the run, or windows of texts, in its accepted answers.
   */
  'texts': (number);
}
