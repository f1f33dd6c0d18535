import type { CurveName, DashboardState } from "./dashboard-state.ts";
import { CURVE_NAMES, INITIAL_STATE } from "./dashboard-state.ts";
import { speedsOf } from "./speed.ts";
import { type CurvePoint, pointsOf } from "./thin-curve.ts";

/** Sections of the state that are sent as they are when they change. */
const SECTIONS = ["run", "phases", "epoch", "workers", "notices", "warnings", "end"] as const;

/** Points of a curve that replace those from `from` on. */
interface CurveChange {
	readonly from: number;
	readonly points: readonly CurvePoint[];
}

/** What the page needs to have the same state. */
export type StateChanges = Partial<Pick<DashboardState, (typeof SECTIONS)[number]>> & {
	readonly curves?: Readonly<Partial<Record<CurveName, CurveChange>>>;
	/** Steps and training texts per second; null if unknown. */
	readonly speed?: readonly number[] | null;
	/** Bytes per second to and from the workers, as a list of one; null if unknown. */
	readonly traffic?: readonly number[] | null;
};

/** Returns the changes from one state to a later one; undefined if there are none. */
export function changesBetween(before: DashboardState, after: DashboardState): StateChanges | undefined {
	if (before === after) return undefined;
	const sections = SECTIONS.filter((name) => before[name] !== after[name]).map((name) => [name, after[name]] as const);
	const curves = CURVE_NAMES.filter((name) => before.curves[name] !== after.curves[name]).map(
		(name) => [name, curveChange(before, after, name)] as const,
	);
	return {
		...Object.fromEntries(sections),
		...(curves.length > 0 && { curves: Object.fromEntries(curves) }),
		...(before.pace !== after.pace && { speed: speedsOf(after.pace) ?? null }),
		...(before.traffic !== after.traffic && { traffic: speedsOf(after.traffic) ?? null }),
	};
}

/** Returns everything that the page needs if it has nothing. */
export function wholeState(state: DashboardState): StateChanges {
	const sections = SECTIONS.map((name) => [name, state[name]] as const);
	return { ...Object.fromEntries(sections), ...changesBetween(INITIAL_STATE, state) };
}

function curveChange(before: DashboardState, after: DashboardState, name: CurveName): CurveChange {
	const [old, points] = [pointsOf(before.curves[name]), pointsOf(after.curves[name])];
	const changed = points.findIndex((point, i) => point !== old[i]);
	const from = changed === -1 ? points.length : changed;
	return { from, points: points.slice(from) };
}
