import type { RunConfig } from "../../shared/settings/config.ts";

/**
 * Returns the texts per optimizer step if the head reads one row of every text, so that gradients can be sent as
 * factors. Otherwise 0.
 */
export function countFactorTexts({ token, batch, accumulate }: RunConfig): number {
	return token === "mean" || token === "mean-real" ? 0 : batch * accumulate;
}
