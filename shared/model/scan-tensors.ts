import { createHash } from "node:crypto";
import { allFinite } from "../vectors/all-finite.ts";
import type { Gpt2Config } from "./gpt2-config.ts";
import type { StoredTensor, StoredType } from "./model-files.ts";
import { allocateChunkBuffers, readTensorChunks } from "./tensor-chunks.ts";

/** Results of reading all tensors once. */
export interface TensorScan {
	/** SHA-256 over the configuration, and name, type, shape and bytes of each tensor in name order; hexadecimal. */
	readonly hash: string;
	/** Name of a tensor with NaN or infinity; undefined if all numbers are finite. */
	readonly notFinite: string | undefined;
}

/**
 * Reads every tensor once, in chunks. Throws TailtuneError "model" if a file is now shorter than stated in its header.
 */
export async function scanTensors(config: Gpt2Config, tensors: ReadonlyMap<string, StoredTensor>): Promise<TensorScan> {
	const hash = createHash("sha256");
	// Equal weights with another number of heads, or another activation, are another model.
	hash.update(`${JSON.stringify(Object.entries(config).sort())}\n`);
	const buffers = allocateChunkBuffers();
	let notFinite: string | undefined;
	for (const name of [...tensors.keys()].sort()) {
		const tensor = tensors.get(name) as StoredTensor;
		hash.update(`${JSON.stringify([name, tensor.type, tensor.shape])}\n`);
		for await (const chunk of readTensorChunks(tensor, buffers)) {
			hash.update(chunk);
			if (notFinite === undefined && !areFinite(tensor.type, chunk)) notFinite = name;
		}
	}
	return { hash: hash.digest("hex"), notFinite };
}

function areFinite(type: StoredType, bytes: Uint8Array): boolean {
	if (type === "F32") return allFinite(new Float32Array(bytes.buffer, 0, bytes.length / 4));
	if (type === "F64") return allFinite(Float32Array.from(new Float64Array(bytes.buffer, 0, bytes.length / 8)));
	// NaN and infinity have all bits of the exponent set.
	const exponent = type === "F16" ? 0x7c00 : 0x7f80;
	const patterns = new Uint16Array(bytes.buffer, 0, bytes.length / 2);
	for (let i = 0; i < patterns.length; i++) if (((patterns[i] as number) & exponent) === exponent) return false;
	return true;
}
