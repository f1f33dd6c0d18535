import { TailtuneError } from "../errors.ts";
import type { RunSpec } from "../messages.ts";

/** The names of `--trunk-precision`, with the enum value that travels. */
export const TRUNK_PRECISION_BY_NAME = {
	fp32: "TRUNK_PRECISION_FP32",
	int8: "TRUNK_PRECISION_INT8",
} as const satisfies Record<string, RunSpec["trunkPrecision"]>;

export type TrunkPrecision = keyof typeof TRUNK_PRECISION_BY_NAME;

export const TRUNK_PRECISIONS = Object.keys(TRUNK_PRECISION_BY_NAME) as [TrunkPrecision, ...TrunkPrecision[]];

/** What a run's features are computed with. Throws TailtuneError "protocol" where the run names none that is known. */
export function trunkPrecisionOf({ runId, trunkPrecision }: RunSpec): TrunkPrecision {
	const known = TRUNK_PRECISIONS.find((name) => TRUNK_PRECISION_BY_NAME[name] === trunkPrecision);
	if (known) return known;
	const expected = `expected one of ${Object.values(TRUNK_PRECISION_BY_NAME).join(", ")}`;
	throw new TailtuneError("protocol", `run ${runId}: found trunk precision ${trunkPrecision}, ${expected}`);
}
