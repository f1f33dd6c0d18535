// Original file: proto/tailtune/v1/classifier.proto

import type { ClassificationInput as _tailtune_v1_ClassificationInput, Classification as _tailtune_v1_Classification } from '../../tailtune/v1/Classification.ts';

export interface ClassifyBatchResponseInput {
  'classifications'?: (_tailtune_v1_ClassificationInput)[];
}

export interface ClassifyBatchResponse {
  'classifications': (_tailtune_v1_Classification)[];
}
