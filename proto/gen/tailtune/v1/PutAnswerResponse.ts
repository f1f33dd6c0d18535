// Original file: proto/tailtune/v1/exchange.proto


/**
 * The coordinator has counted the answer; the item may be acknowledged.
 */
export interface PutAnswerResponseInput {
}

/**
 * The coordinator has counted the answer; the item may be acknowledged.
 */
export interface PutAnswerResponse {
}
