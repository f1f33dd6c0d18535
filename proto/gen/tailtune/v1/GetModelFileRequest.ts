// Original file: proto/tailtune/v1/exchange.proto

import type { Long } from '@grpc/proto-loader';

export interface GetModelFileRequestInput {
  'protocolVersion'?: (number);
  'modelHash'?: (string);
  'name'?: (string);
  'byteOffset'?: (number | string | Long);
}

export interface GetModelFileRequest {
  'protocolVersion': (number);
  'modelHash': (string);
  'name': (string);
  'byteOffset': (number);
}
