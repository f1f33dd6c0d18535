// Original file: proto/tailtune/v1/exchange.proto

import type { ModelFileInput as _tailtune_v1_ModelFileInput, ModelFile as _tailtune_v1_ModelFile } from '../../tailtune/v1/ModelFile.ts';

export interface GetModelManifestResponseInput {
  'files'?: (_tailtune_v1_ModelFileInput)[];
}

export interface GetModelManifestResponse {
  'files': (_tailtune_v1_ModelFile)[];
}
