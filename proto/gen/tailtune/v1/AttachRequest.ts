// Original file: proto/tailtune/v1/exchange.proto


export interface AttachRequestInput {
  'protocolVersion'?: (number);
  'workerId'?: (string);
}

export interface AttachRequest {
  'protocolVersion': (number);
  'workerId': (string);
}
