// Original file: proto/tailtune/v1/exchange.proto


/**
 * Sent once, when the coordinator has registered the worker.
 */
export interface AttachResponseInput {
}

/**
 * Sent once, when the coordinator has registered the worker.
 */
export interface AttachResponse {
}
