// Original file: proto/tailtune/v1/exchange.proto


export interface GetUpdatesRequestInput {
  'protocolVersion'?: (number);
  'runId'?: (string);
  /**
   * Version of the worker's state. Refused with REFUSAL_STALE_VERSION if the next update isn't kept any more.
   */
  'parameterVersion'?: (number);
  'schemaHash'?: (string);
  /**
   * Published parts that the worker refused since its last call, because they were wrong.
   */
  'refusedParts'?: (number);
}

export interface GetUpdatesRequest {
  'protocolVersion': (number);
  'runId': (string);
  /**
   * Version of the worker's state. Refused with REFUSAL_STALE_VERSION if the next update isn't kept any more.
   */
  'parameterVersion': (number);
  'schemaHash': (string);
  /**
   * Published parts that the worker refused since its last call, because they were wrong.
   */
  'refusedParts': (number);
}
