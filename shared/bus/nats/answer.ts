import { itemKey, type WorkResult, workResultCodec } from "../../messages.ts";

/**
 * The message of an answer. If it were larger than the server takes, it is a failure that ends the run: other workers'
 * answers would be as large.
 */
export function encodeAnswer(result: WorkResult, maxBytes: number): Uint8Array {
	const bytes = workResultCodec.encode(result);
	if (bytes.length <= maxBytes) return bytes;
	const found = `the answer to ${itemKey(result)}: found ${bytes.length} bytes, expected at most ${maxBytes}`;
	const failure = {
		code: "protocol",
		message: `${found}, NATS' max_payload; smaller items have smaller answers`,
		ofWorker: false,
		fault: 0,
	};
	return workResultCodec.encode({ ...result, logits: [], failure });
}
