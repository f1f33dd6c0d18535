// Original file: proto/tailtune/v1/work.proto

import type { LocalStepInput as _tailtune_v1_LocalStepInput, LocalStep as _tailtune_v1_LocalStep } from '../../tailtune/v1/LocalStep.ts';

/**
 * Steps of AdamW in order, the first of them on the item's version. They begin with the moments that travel behind the
 * parameters; what they took off these goes back, followed by the moments that they end with.
 */
export interface LocalStepsInput {
  'steps'?: (_tailtune_v1_LocalStepInput)[];
  'lr'?: (number | string);
  'weightDecay'?: (number | string);
}

/**
 * Steps of AdamW in order, the first of them on the item's version. They begin with the moments that travel behind the
 * parameters; what they took off these goes back, followed by the moments that they end with.
 */
export interface LocalSteps {
  'steps': (_tailtune_v1_LocalStep)[];
  'lr': (number);
  'weightDecay': (number);
}
