// Original file: proto/tailtune/v1/work.proto

import type { LocalPartInput as _tailtune_v1_LocalPartInput, LocalPart as _tailtune_v1_LocalPart } from '../../tailtune/v1/LocalPart.ts';

export interface LocalStepInput {
  'parts'?: (_tailtune_v1_LocalPartInput)[];
}

export interface LocalStep {
  'parts': (_tailtune_v1_LocalPart)[];
}
