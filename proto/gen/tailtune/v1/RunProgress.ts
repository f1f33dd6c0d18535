// Original file: proto/tailtune/v1/work.proto

import type { RunScoreInput as _tailtune_v1_RunScoreInput, RunScore as _tailtune_v1_RunScore } from '../../tailtune/v1/RunScore.ts';

/**
 * What a coordinator tells of its run about every second, for people who ask.
 */
export interface RunProgressInput {
  'runId'?: (string);
  /**
   * Machine and folder in which the run leaves its result.
   */
  'host'?: (string);
  'folder'?: (string);
  /**
   * What is under way, as in "training", and how far it has come: done of total units, as in "steps".
   */
  'phase'?: (string);
  'done'?: (number);
  'total'?: (number);
  'unit'?: (string);
  /**
   * Epochs finished, of those planned.
   */
  'epoch'?: (number);
  'epochs'?: (number);
  /**
   * Of the epoch finished last.
   */
  'validation'?: (_tailtune_v1_RunScoreInput | null);
  /**
   * Problems that hold the run up now, one line each.
   */
  'notices'?: (string)[];
}

/**
 * What a coordinator tells of its run about every second, for people who ask.
 */
export interface RunProgress {
  'runId': (string);
  /**
   * Machine and folder in which the run leaves its result.
   */
  'host': (string);
  'folder': (string);
  /**
   * What is under way, as in "training", and how far it has come: done of total units, as in "steps".
   */
  'phase': (string);
  'done': (number);
  'total': (number);
  'unit': (string);
  /**
   * Epochs finished, of those planned.
   */
  'epoch': (number);
  'epochs': (number);
  /**
   * Of the epoch finished last.
   */
  'validation': (_tailtune_v1_RunScore | null);
  /**
   * Problems that hold the run up now, one line each.
   */
  'notices': (string)[];
}
