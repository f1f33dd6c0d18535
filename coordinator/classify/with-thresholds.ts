import { TailtuneError } from "../../shared/errors.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";
import { nameSome } from "../data/name-some.ts";
import type { Thresholds } from "../metrics/choose-label.ts";

type Asked = TrainConfig["threshold"];

/**
 * Replaces the thresholds of the labels that `--threshold` names.
 * @param best thresholds for LABEL=best; empty if the run isn't finished
 * @throws TailtuneError "usage" if there is no such label, or LABEL=best isn't known
 */
export function withThresholds(
	thresholds: Thresholds,
	asked: Asked,
	labels: readonly string[],
	best: readonly number[],
): (number | null)[] {
	if (asked === undefined) return [...thresholds];
	assertLabelsKnown(asked, labels);
	return labels.map((label, index) => {
		const own = Object.hasOwn(asked, label) ? asked[label] : thresholds[index];
		if (own !== "best") return own ?? null;
		const chosen = best[index];
		if (chosen !== undefined) return chosen;
		throw new TailtuneError("usage", `--threshold: found ${label}=best, expected a number until the run is finished`);
	});
}

/** Throws TailtuneError "usage" if `--threshold` names a label that there isn't. */
export function assertLabelsKnown(asked: Asked, labels: readonly string[]): void {
	const unknown = Object.keys(asked ?? {}).find((label) => !labels.includes(label));
	if (unknown === undefined) return;
	const names = nameSome(labels.map((label) => JSON.stringify(label)));
	throw new TailtuneError("usage", `--threshold: found label ${JSON.stringify(unknown)}, expected one of ${names}`);
}
