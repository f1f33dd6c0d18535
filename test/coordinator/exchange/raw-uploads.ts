import type { GradientHeaderInput } from "../../../proto/gen/tailtune/v1/GradientHeader.ts";
import type { PutGradientRequestInput } from "../../../proto/gen/tailtune/v1/PutGradientRequest.ts";
import type { PutGradientResponse } from "../../../proto/gen/tailtune/v1/PutGradientResponse.ts";
import type { TensorsClient } from "../../../shared/exchange/tensor-service.ts";
import { checksumOf } from "../../../shared/files/checksum.ts";
import { fromServiceError } from "../../../shared/rpc/status.ts";
import { someItem, someSchema } from "../../shared/exchange/conformance.ts";

/** A right header for the gradient of `someItem` in a run of so many parameters, but for what is said otherwise. */
export function someHeader(size: number, changes: GradientHeaderInput = {}): PutGradientRequestInput {
	const schemaHash = someSchema(size).hash;
	const header = { protocolVersion: 1, runId: "run", workerId: "raw", ...someItem, schemaHash, byteLength: 4 * size };
	return { header: { ...header, ...changes } };
}

export function someChunk(byteOffset: number, numbers: number[]): PutGradientRequestInput {
	const data = Buffer.from(Float32Array.from(numbers).buffer);
	return { chunk: { byteOffset, data, xxh64: checksumOf(data) } };
}

export function someEnd(numbers: number[]): PutGradientRequestInput {
	return { end: { byteLength: 4 * numbers.length } };
}

/** Sends messages as they are; rejects with what the server refuses them with. */
export function upload(client: TensorsClient, messages: PutGradientRequestInput[]): Promise<PutGradientResponse> {
	return new Promise((resolve, reject) => {
		const call = client.putGradient((error, response) => {
			if (error) reject(fromServiceError(error));
			else resolve(response as PutGradientResponse);
		});
		for (const message of messages) call.write(message);
		call.end();
	});
}
