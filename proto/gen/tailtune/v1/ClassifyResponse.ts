// Original file: proto/tailtune/v1/classifier.proto

import type { ClassificationInput as _tailtune_v1_ClassificationInput, Classification as _tailtune_v1_Classification } from '../../tailtune/v1/Classification.ts';

export interface ClassifyResponseInput {
  'classification'?: (_tailtune_v1_ClassificationInput | null);
}

export interface ClassifyResponse {
  'classification': (_tailtune_v1_Classification | null);
}
