import type { PutAnswerRequestInput } from "../../proto/gen/tailtune/v1/PutAnswerRequest.ts";
import type { Answer } from "../../shared/exchange/tensor-exchange.ts";
import type { TensorSchema } from "../../shared/exchange/tensor-schema.ts";
import { bytesOnWire, tensorChunks } from "../../shared/exchange/tensor-stream.ts";
import { PROTOCOL_VERSION } from "../../shared/rpc/service.ts";

/**
 * Splits an answer into messages. Each one is valid until the next one is requested.
 * @param schema of the run; unset if the worker failed before it knew the schema
 * @throws TailtuneError "diverged" if NaN or infinity would have to be rounded to bfloat16
 */
export function* toAnswerMessages(
	{ result, logits, tensor = new Float32Array(0) }: Answer,
	schema: TensorSchema | undefined,
): Generator<PutAnswerRequestInput> {
	const { hash: schemaHash = "", wire = "f32" } = schema ?? {};
	const lengths = { logitsLength: logits.length, tensorLength: tensor.length };
	yield { header: { protocolVersion: PROTOCOL_VERSION, result, schemaHash, ...lengths } };
	for (const chunk of tensorChunks(Float32Array.from(logits), "f32")) yield { logits: chunk };
	for (const chunk of tensorChunks(tensor, wire)) yield { tensor: chunk };
	yield { end: { byteLength: bytesOnWire(logits.length, "f32") + bytesOnWire(tensor.length, wire) } };
}
