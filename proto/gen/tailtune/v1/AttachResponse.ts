// Original file: proto/tailtune/v1/exchange.proto


/**
 * Sent once, when the coordinator has taken note of the worker.
 */
export interface AttachResponseInput {
}

/**
 * Sent once, when the coordinator has taken note of the worker.
 */
export interface AttachResponse {
}
