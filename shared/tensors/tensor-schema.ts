import { createHash } from "node:crypto";
import type { ParameterLayout } from "../model/parameter-layout.ts";

/** How gradients travel. Parameters go as float32: rounded ones would be another model than the one that is saved. */
export type WireFormat = "f32" | "bf16";

/** What the tensors of a run look like; both sides derive it, and compare the hash. */
export interface TensorSchema {
	/** sha256 over base weights, layout and wire format; hexadecimal. */
	readonly hash: string;
	/** Numbers in the parameter vector, and in a gradient. */
	readonly parameters: number;
	readonly gradients: number;
	readonly wire: WireFormat;
}

/** The schema of a run that tunes these parameters of the model of that hash. */
export function tensorSchema(modelHash: string, layout: ParameterLayout, wire: WireFormat = "f32"): TensorSchema {
	const { size, trainedSize, entries } = layout;
	const described = [modelHash, wire, trainedSize, entries.map(({ name, shape }) => [name, shape])];
	const hash = createHash("sha256").update(JSON.stringify(described)).digest("hex");
	return { hash, parameters: size, gradients: trainedSize, wire };
}
