// Original file: proto/tailtune/v1/classifier.proto


export interface ClassifyBatchRequestInput {
  'texts'?: (string)[];
  'truncate'?: (boolean);
  'modelVersion'?: (string);
}

export interface ClassifyBatchRequest {
  'texts': (string)[];
  'truncate': (boolean);
  'modelVersion': (string);
}
