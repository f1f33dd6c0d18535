// Original file: proto/tailtune/v1/work.proto

import type { LocalStepInput as _tailtune_v1_LocalStepInput, LocalStep as _tailtune_v1_LocalStep } from '../../tailtune/v1/LocalStep.ts';

/**
 * AdamW steps, in order; the first one starts from the item's version. Their initial moments are sent after the parameters.
 * The answer is the sum of the changes subtracted from the parameters, followed by the final moments.
 */
export interface LocalStepsInput {
  'steps'?: (_tailtune_v1_LocalStepInput)[];
  'lr'?: (number | string);
  'weightDecay'?: (number | string);
}

/**
 * AdamW steps, in order; the first one starts from the item's version. Their initial moments are sent after the parameters.
 * The answer is the sum of the changes subtracted from the parameters, followed by the final moments.
 */
export interface LocalSteps {
  'steps': (_tailtune_v1_LocalStep)[];
  'lr': (number);
  'weightDecay': (number);
}
