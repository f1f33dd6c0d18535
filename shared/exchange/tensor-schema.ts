import { createHash } from "node:crypto";
import type { RunSpec } from "../messages.ts";
import type { ParameterLayout } from "../model/parameter-layout.ts";

/** How parameters and gradients travel; rounded to it within one process too, so that the bits don't tell where it ran. */
export type WireFormat = "f32" | "bf16";

const MESSAGE_OF_WIRE = { f32: "WIRE_FORMAT_F32", bf16: "WIRE_FORMAT_BF16" } as const;

/** What travels of a run, and how. */
export interface Travel {
	readonly wire: WireFormat;
	/** Whether AdamW's moments do, behind the parameters and the gradients. */
	readonly withMoments: boolean;
}

/** What travels, as a run's announcement says it. */
export function messageOf({ wire, withMoments }: Travel): Pick<RunSpec, "wire" | "withMoments"> {
	return { wire: MESSAGE_OF_WIRE[wire], withMoments };
}

/** What travels of an announced run. */
export function travelOf({ wire, withMoments = false }: Pick<RunSpec, "wire" | "withMoments">): Travel {
	return { wire: wire === MESSAGE_OF_WIRE.bf16 ? "bf16" : "f32", withMoments };
}

/** What the tensors of a run look like; both sides derive it, and compare the hash. */
export interface TensorSchema {
	/** sha256 over base weights, layout and what travels; hexadecimal. */
	readonly hash: string;
	/** Numbers that go down and up: parameters and a gradient, moments behind them where they travel. */
	readonly parameters: number;
	readonly gradients: number;
	readonly wire: WireFormat;
}

const PLAIN: Travel = { wire: "f32", withMoments: false };

/** The schema of a run that tunes these parameters of the model of that hash. */
export function tensorSchema(
	modelHash: string,
	{ size, trainedSize, entries }: ParameterLayout,
	{ wire, withMoments }: Travel = PLAIN,
): TensorSchema {
	const described = [modelHash, wire, withMoments, trainedSize, entries.map(({ name, shape }) => [name, shape])];
	const hash = createHash("sha256").update(JSON.stringify(described)).digest("hex");
	const moments = withMoments ? 2 * trainedSize : 0;
	return { hash, parameters: size + moments, gradients: trainedSize + moments, wire };
}
