import { TailtuneError } from "../errors.ts";
import type { RunSpec } from "../messages.ts";

/** The names of `--trunk-precision`, with the enum values of the messages. */
export const TRUNK_PRECISION_BY_NAME = {
	fp32: "TRUNK_PRECISION_FP32",
	int8: "TRUNK_PRECISION_INT8",
} as const satisfies Record<string, RunSpec["trunkPrecision"]>;

export type TrunkPrecision = keyof typeof TRUNK_PRECISION_BY_NAME;

export const TRUNK_PRECISIONS = Object.keys(TRUNK_PRECISION_BY_NAME) as [TrunkPrecision, ...TrunkPrecision[]];

/** Returns the precision of a run's features. Throws TailtuneError "protocol" if the run has an unknown one. */
export function trunkPrecisionOf({ runId, trunkPrecision }: RunSpec): TrunkPrecision {
	const known = TRUNK_PRECISIONS.find((name) => TRUNK_PRECISION_BY_NAME[name] === trunkPrecision);
	if (known) return known;
	const expected = `expected one of ${Object.values(TRUNK_PRECISION_BY_NAME).join(", ")}`;
	throw new TailtuneError("protocol", `run ${runId}: found trunk precision ${trunkPrecision}, ${expected}`);
}
