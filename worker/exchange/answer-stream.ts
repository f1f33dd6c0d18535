import type { PutAnswerRequestInput } from "../../proto/gen/tailtune/v1/PutAnswerRequest.ts";
import type { Answer } from "../../shared/exchange/tensor-exchange.ts";
import { tensorChunks } from "../../shared/exchange/tensor-stream.ts";
import { PROTOCOL_VERSION } from "../../shared/rpc/service.ts";

/**
 * Splits an answer into messages; those with numbers of the tensor are views of it.
 * @param schemaHash of the run; unset if the worker failed before it knew the schema
 * @param fingerprint of the worker's parameters, if it has any
 */
export function* toAnswerMessages(
	{ result, logits, tensor = new Float32Array(0) }: Answer,
	schemaHash = "",
	fingerprint?: number,
): Generator<PutAnswerRequestInput> {
	const lengths = { logitsLength: logits.length, tensorLength: tensor.length };
	yield {
		header: {
			protocolVersion: PROTOCOL_VERSION,
			result,
			schemaHash,
			...lengths,
			...(fingerprint !== undefined && { fingerprint }),
		},
	};
	const ofLogits = Float32Array.from(logits);
	for (const chunk of tensorChunks(ofLogits)) yield { logits: chunk };
	for (const chunk of tensorChunks(tensor)) yield { tensor: chunk };
	yield { end: { byteLength: ofLogits.byteLength + tensor.byteLength } };
}
