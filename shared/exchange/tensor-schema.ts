import { createHash } from "node:crypto";
import { TailtuneError } from "../errors.ts";
import type { RunSpec } from "../messages.ts";
import type { Gpt2Config } from "../model/gpt2-config.ts";
import { parameterLayout } from "../model/parameter-layout.ts";
import { type GradientForm, gradientForm } from "../updates/gradient-form.ts";

/** Sizes of a run's tensors. Both sides derive them and compare the hash. */
export interface TensorSchema {
	/** sha256 over base weights, parameter layout and form of the gradients; hexadecimal. */
	readonly hash: string;
	/** Numbers per parameter vector. */
	readonly parameters: number;
	readonly form: GradientForm;
	/** Most texts in an update that has factors. */
	readonly factorTexts: number;
}

/** Checks that a run is opened again with the same schema. @throws TailtuneError "protocol" */
export function assertSameSchema(runId: string, open: TensorSchema, found: TensorSchema): void {
	if (open.hash !== found.hash)
		throw new TailtuneError("protocol", `run ${runId} is open with schema ${open.hash}, found ${found.hash}`);
}

/** Returns the schema of a run. @throws TailtuneError "protocol" if the run has no tail */
export function tensorSchema(
	{ runId, modelHash, tail, factorTexts }: Pick<RunSpec, "runId" | "modelHash" | "tail" | "factorTexts">,
	config: Gpt2Config,
): TensorSchema {
	if (!tail) throw new TailtuneError("protocol", `run ${runId} has no tail, expected the parts to tune`);
	const { size, trainedSize, entries } = parameterLayout(tail, config);
	const form = gradientForm(tail, config, factorTexts);
	const factored = [form, form.ofFewTexts].map((each) => each?.factors.map(({ name }) => name));
	const described = [modelHash, trainedSize, entries.map(({ name, shape }) => [name, shape]), factored, factorTexts];
	const hash = createHash("sha256").update(JSON.stringify(described)).digest("hex");
	return { hash, parameters: size, form, factorTexts };
}
