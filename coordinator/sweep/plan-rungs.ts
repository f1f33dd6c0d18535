import { TailtuneError } from "../../shared/errors.ts";
import type { SweepState } from "../events/sweep-schema.ts";

type Halving = NonNullable<SweepState["halving"]>;
type Rung = Halving["rungs"][number];

/** Default of `--halving`. */
export const DEFAULT_FACTOR = 2;

/**
 * Plans successive halving (Jamieson and Talwalkar 2016): on each rung, the settings that are left are trained up to a
 * number of epochs, and the best 1 / factor of them reach the next rung. The last rung has all epochs.
 * @param settings number of settings that are tried
 * @throws TailtuneError "usage" that names --halving, if there would be only one rung
 */
export function planRungs(factor: number, epochs: number, settings: number): Rung[] {
	const left = [settings];
	while ((left.at(-1) ?? 0) > 1) left.push(Math.ceil((left.at(-1) ?? 0) / factor));
	const until = [epochs];
	while (until.length < left.length && (until[0] ?? 0) >= factor) until.unshift(Math.floor((until[0] ?? 0) / factor));
	if (until.length > 1) return until.map((end, i) => ({ epochs: end, settings: left[i] ?? 1 }));
	const found = `found ${epochs} and ${settings}`;
	throw new TailtuneError("usage", `--halving: needs at least ${factor} epochs and 2 settings; ${found}`);
}
