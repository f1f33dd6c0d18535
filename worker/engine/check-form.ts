import { TailtuneError } from "../../shared/errors.ts";
import { rowsOfTexts } from "../../shared/updates/embedding-rows.ts";
import { type GradientForm, gradientLength } from "../../shared/updates/gradient-form.ts";
import type { TailInput } from "./engine.ts";

/**
 * Checks that the gradient of these inputs can be written to an array in a form: factors have one row per text, and the
 * embedding tables one row per token and per position that occurs.
 * @throws TailtuneError "engine" if the inputs or the array don't fit the form
 */
export function checkForm(inputs: readonly TailInput[], form: GradientForm, gradient: Float32Array): void {
	const expected = gradientLength(form, inputs.length, rowsOfTexts(form, inputs).length);
	if (gradient.length !== expected)
		throw new TailtuneError("engine", `gradient: found an array of ${gradient.length} numbers, expected ${expected}`);
	const several = inputs.find(({ poolCount }) => poolCount !== 1);
	if (several && form.factors.length > 0)
		throw new TailtuneError(
			"engine",
			`gradient as factors: found a text of which the head reads ${several.poolCount} rows, expected 1`,
		);
}
