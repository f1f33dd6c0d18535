import { createHash } from "node:crypto";
import { TailtuneError } from "../errors.ts";
import type { ParameterLayout } from "../model/parameter-layout.ts";

/** Sizes of a run's tensors. Both sides derive them and compare the hash. */
export interface TensorSchema {
	/** sha256 over base weights, parameter layout and `factorTexts`; hexadecimal. */
	readonly hash: string;
	/** Numbers per parameter vector. */
	readonly parameters: number;
	/** Numbers per dense gradient. */
	readonly gradients: number;
}

/** Checks that a run is opened again with the same schema. @throws TailtuneError "protocol" */
export function assertSameSchema(runId: string, open: TensorSchema, found: TensorSchema): void {
	if (open.hash !== found.hash)
		throw new TailtuneError("protocol", `run ${runId} is open with schema ${open.hash}, found ${found.hash}`);
}

/**
 * Returns the schema of a run.
 * @param modelHash of the base weights
 * @param factorTexts that of the run, see `gradientForm`; default: 0, gradients are dense
 */
export function tensorSchema(
	modelHash: string,
	{ size, trainedSize, entries }: ParameterLayout,
	factorTexts = 0,
): TensorSchema {
	const described = [modelHash, trainedSize, factorTexts, entries.map(({ name, shape }) => [name, shape])];
	const hash = createHash("sha256").update(JSON.stringify(described)).digest("hex");
	return { hash, parameters: size, gradients: trainedSize };
}
