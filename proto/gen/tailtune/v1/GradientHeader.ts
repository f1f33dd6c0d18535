// Original file: proto/tailtune/v1/tensors.proto

import type { WorkKindInput as _tailtune_v1_WorkKindInput, WorkKind as _tailtune_v1_WorkKind } from '../../tailtune/v1/WorkKind.ts';
import type { Long } from '@grpc/proto-loader';

export interface GradientHeaderInput {
  'protocolVersion'?: (number);
  'runId'?: (string);
  'workerId'?: (string);
  /**
   * With parameter_version and part the name of the work item.
   */
  'kind'?: (_tailtune_v1_WorkKindInput);
  'parameterVersion'?: (number);
  'part'?: (number);
  /**
   * sha256 over base weights and parameter layout, hexadecimal.
   */
  'schemaHash'?: (string);
  /**
   * Bytes of all chunks to come.
   */
  'byteLength'?: (number | string | Long);
}

export interface GradientHeader {
  'protocolVersion': (number);
  'runId': (string);
  'workerId': (string);
  /**
   * With parameter_version and part the name of the work item.
   */
  'kind': (_tailtune_v1_WorkKind);
  'parameterVersion': (number);
  'part': (number);
  /**
   * sha256 over base weights and parameter layout, hexadecimal.
   */
  'schemaHash': (string);
  /**
   * Bytes of all chunks to come.
   */
  'byteLength': (number);
}
