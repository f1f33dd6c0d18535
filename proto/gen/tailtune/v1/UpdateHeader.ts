// Original file: proto/tailtune/v1/update.proto

import type { AdamWScalarsInput as _tailtune_v1_AdamWScalarsInput, AdamWScalars as _tailtune_v1_AdamWScalars } from '../../tailtune/v1/AdamWScalars.ts';

export interface UpdateHeaderInput {
  /**
   * Version to which the update leads.
   */
  'parameterVersion'?: (number);
  /**
   * Number of texts of the step. The tensor is their gradient, in the form that the schema fixes: dense ranges, factors, and rows
   * of the embedding tables. So its length is known, and with it the last part.
   */
  'texts'?: (number);
  'scalars'?: (_tailtune_v1_AdamWScalarsInput | null);
}

export interface UpdateHeader {
  /**
   * Version to which the update leads.
   */
  'parameterVersion': (number);
  /**
   * Number of texts of the step. The tensor is their gradient, in the form that the schema fixes: dense ranges, factors, and rows
   * of the embedding tables. So its length is known, and with it the last part.
   */
  'texts': (number);
  'scalars': (_tailtune_v1_AdamWScalars | null);
}
