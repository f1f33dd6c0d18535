// Original file: proto/tailtune/v1/exchange.proto

import type { WorkResultInput as _tailtune_v1_WorkResultInput, WorkResult as _tailtune_v1_WorkResult } from '../../tailtune/v1/WorkResult.ts';
import type { Long } from '@grpc/proto-loader';

export interface AnswerHeaderInput {
  'protocolVersion'?: (number);
  /**
   * The answer without its numbers. It names the run, the item and the worker.
   */
  'result'?: (_tailtune_v1_WorkResultInput | null);
  /**
   * As in GetStateRequest; empty in a failure.
   */
  'schemaHash'?: (string);
  /**
   * Number of logits that follow: sequences times classes, or 0 for PREPARE and for a failure.
   */
  'logitsLength'?: (number | string | Long);
  /**
   * Number of elements of the tensor that follows: the gradient; 0 for other kinds of work.
   */
  'tensorLength'?: (number | string | Long);
  /**
   * Fingerprint of the parameters with which the answer was computed; absent if there were none, as for PREPARE. An answer computed
   * with other parameters than the coordinator's is refused with REFUSAL_DIVERGED, and so is the failure of an item.
   */
  'fingerprint'?: (number);
  '_fingerprint'?: "fingerprint";
}

export interface AnswerHeader {
  'protocolVersion': (number);
  /**
   * The answer without its numbers. It names the run, the item and the worker.
   */
  'result': (_tailtune_v1_WorkResult | null);
  /**
   * As in GetStateRequest; empty in a failure.
   */
  'schemaHash': (string);
  /**
   * Number of logits that follow: sequences times classes, or 0 for PREPARE and for a failure.
   */
  'logitsLength': (number);
  /**
   * Number of elements of the tensor that follows: the gradient; 0 for other kinds of work.
   */
  'tensorLength': (number);
  /**
   * Fingerprint of the parameters with which the answer was computed; absent if there were none, as for PREPARE. An answer computed
   * with other parameters than the coordinator's is refused with REFUSAL_DIVERGED, and so is the failure of an item.
   */
  'fingerprint'?: (number);
  '_fingerprint'?: "fingerprint";
}
