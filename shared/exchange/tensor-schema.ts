import { createHash } from "node:crypto";
import { TailtuneError } from "../errors.ts";
import type { RunSpec } from "../messages.ts";
import type { ParameterLayout } from "../model/parameter-layout.ts";

/**
 * Number format of parameters and gradients on the network. Runs in one process round to it too, for the same
 * results.
 */
export type WireFormat = "f32" | "bf16";

const MESSAGE_OF_WIRE = { f32: "WIRE_FORMAT_F32", bf16: "WIRE_FORMAT_BF16" } as const;

/** Content and format of a run's tensors. */
export interface TensorOptions {
	readonly wire: WireFormat;
	/** Whether AdamW's moments follow the parameters and the gradients. */
	readonly withMoments: boolean;
}

/** Converts tensor options to fields of a run's announcement. */
export function toSpecFields({ wire, withMoments }: TensorOptions): Pick<RunSpec, "wire" | "withMoments"> {
	return { wire: MESSAGE_OF_WIRE[wire], withMoments };
}

/** Returns the tensor options of an announced run. */
export function tensorOptionsOf({ wire, withMoments = false }: Pick<RunSpec, "wire" | "withMoments">): TensorOptions {
	return { wire: wire === MESSAGE_OF_WIRE.bf16 ? "bf16" : "f32", withMoments };
}

/** Sizes and format of a run's tensors. Both sides derive it and compare the hash. */
export interface TensorSchema {
	/** sha256 over base weights, parameter layout and tensor options; hexadecimal. */
	readonly hash: string;
	/** Numbers per parameter vector, including the moments if the run sends them. */
	readonly parameters: number;
	/** Numbers per gradient, including the moments if the run sends them. */
	readonly gradients: number;
	readonly wire: WireFormat;
}

/** Checks that a run is opened again with the same schema. @throws TailtuneError "protocol" */
export function assertSameSchema(runId: string, open: TensorSchema, found: TensorSchema): void {
	if (open.hash !== found.hash)
		throw new TailtuneError("protocol", `run ${runId} is open with schema ${open.hash}, found ${found.hash}`);
}

const PLAIN: TensorOptions = { wire: "f32", withMoments: false };

/** Returns the schema of a run. @param modelHash of the base weights */
export function tensorSchema(
	modelHash: string,
	{ size, trainedSize, entries }: ParameterLayout,
	{ wire, withMoments }: TensorOptions = PLAIN,
): TensorSchema {
	const described = [modelHash, wire, withMoments, trainedSize, entries.map(({ name, shape }) => [name, shape])];
	const hash = createHash("sha256").update(JSON.stringify(described)).digest("hex");
	const moments = withMoments ? 2 * trainedSize : 0;
	return { hash, parameters: size + moments, gradients: trainedSize + moments, wire };
}
