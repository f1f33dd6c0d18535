import type { AnswerHeaderInput } from "../../../proto/gen/tailtune/v1/AnswerHeader.ts";
import type { PutAnswerRequestInput } from "../../../proto/gen/tailtune/v1/PutAnswerRequest.ts";
import type { ExchangeClient } from "../../../shared/exchange/tensor-service.ts";
import { checksumOf } from "../../../shared/files/checksum.ts";
import type { WorkResult } from "../../../shared/messages.ts";
import { fromServiceError } from "../../../shared/rpc/status.ts";
import { someResult } from "../../shared/bus/messages.ts";
import { someSchema } from "../../shared/exchange/conformance.ts";

/** A correct header of an answer with a tensor and no logits, with some fields replaced. */
export function someHeader(
	size: number,
	ofResult: Partial<WorkResult> = {},
	changes: AnswerHeaderInput = {},
): PutAnswerRequestInput {
	const result = someResult({ workerId: "raw", ...ofResult });
	const schemaHash = someSchema(size).hash;
	return { header: { protocolVersion: 1, result, schemaHash, logitsLength: 0, tensorLength: size, ...changes } };
}

export function someChunk(
	byteOffset: number,
	numbers: number[],
	of: "tensor" | "logits" = "tensor",
): PutAnswerRequestInput {
	const data = Buffer.from(Float32Array.from(numbers).buffer);
	return { [of]: { byteOffset, data, xxh64: checksumOf(data) } };
}

/** @param count of all numbers sent */
export function someEnd(count: number): PutAnswerRequestInput {
	return { end: { byteLength: 4 * count } };
}

/** Sends messages as they are; rejects with the server's refusal. */
export function upload(client: ExchangeClient, messages: PutAnswerRequestInput[]): Promise<void> {
	return new Promise((resolve, reject) => {
		const call = client.putAnswer((error) => {
			if (error) reject(fromServiceError(error));
			else resolve();
		});
		for (const message of messages) call.write(message);
		call.end();
	});
}
