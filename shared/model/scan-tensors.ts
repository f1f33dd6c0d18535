import { createHash } from "node:crypto";
import { allFinite } from "../vectors/all-finite.ts";
import type { StoredTensor, StoredType } from "./model-files.ts";
import { chunkBuffers, readTensorChunks } from "./tensor-chunks.ts";

/** What one reading of all tensors tells. */
export interface TensorScan {
	/** sha256 over name, type, shape and bytes of each tensor in name order; hexadecimal. */
	readonly hash: string;
	/** A tensor with NaN or infinity in it; undefined where all numbers are finite. */
	readonly notFinite: string | undefined;
}

/** Reads every tensor once, in chunks. Throws TailtuneError "model" where a file has become shorter than its header says. */
export async function scanTensors(tensors: ReadonlyMap<string, StoredTensor>): Promise<TensorScan> {
	const hash = createHash("sha256");
	const buffers = chunkBuffers();
	let notFinite: string | undefined;
	for (const name of [...tensors.keys()].sort()) {
		const tensor = tensors.get(name) as StoredTensor;
		hash.update(`${JSON.stringify([name, tensor.type, tensor.shape])}\n`);
		for await (const chunk of readTensorChunks(tensor, buffers)) {
			hash.update(chunk);
			if (notFinite === undefined && !holdsFinite(tensor.type, chunk)) notFinite = name;
		}
	}
	return { hash: hash.digest("hex"), notFinite };
}

function holdsFinite(type: StoredType, bytes: Uint8Array): boolean {
	if (type === "F32") return allFinite(new Float32Array(bytes.buffer, 0, bytes.length / 4));
	// NaN and infinity are the patterns with all bits of the exponent set.
	const exponent = type === "F16" ? 0x7c00 : 0x7f80;
	const patterns = new Uint16Array(bytes.buffer, 0, bytes.length / 2);
	for (let i = 0; i < patterns.length; i++) if (((patterns[i] as number) & exponent) === exponent) return false;
	return true;
}
