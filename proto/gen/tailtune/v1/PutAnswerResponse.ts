// Original file: proto/tailtune/v1/exchange.proto


/**
 * The coordinator has accepted the answer; the item may be acknowledged.
 */
export interface PutAnswerResponseInput {
}

/**
 * The coordinator has accepted the answer; the item may be acknowledged.
 */
export interface PutAnswerResponse {
}
