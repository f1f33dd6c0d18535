// Original file: proto/tailtune/v1/classifier.proto


export interface ClassifyStreamRequestInput {
  'text'?: (string);
  'truncate'?: (boolean);
  'modelVersion'?: (string);
}

export interface ClassifyStreamRequest {
  'text': (string);
  'truncate': (boolean);
  'modelVersion': (string);
}
