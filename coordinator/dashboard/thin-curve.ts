/** A point of a curve. */
export type CurvePoint = readonly [texts: number, seconds: number, value: number];

/** Neighbouring points of a curve, of which at most four are kept. */
interface Bucket {
	/** Points that were added. */
	readonly count: number;
	/** The first, the last, and those with the smallest and the largest value, in order. */
	readonly kept: readonly CurvePoint[];
}

/** A curve with a bounded number of points. */
export interface Curve {
	/** Most points of a bucket. */
	readonly size: number;
	readonly buckets: readonly Bucket[];
}

const MOST_BUCKETS = 200;

/** Most points that a curve keeps. */
export const MOST_POINTS = 4 * MOST_BUCKETS;

/** A curve without points. */
export const EMPTY_CURVE: Curve = { size: 1, buckets: [] };

/**
 * Returns the curve with one more point. If it becomes too long, two neighbouring buckets become one everywhere, so
 * that it is equally detailed everywhere; its first, last, smallest and largest points always stay.
 */
export function withPoint({ size, buckets }: Curve, point: CurvePoint): Curve {
	const added: Bucket = { count: 1, kept: [point] };
	const last = buckets.at(-1);
	if (last && last.count < size) return { size, buckets: [...buckets.slice(0, -1), merge(last, added)] };
	if (buckets.length < MOST_BUCKETS) return { size, buckets: [...buckets, added] };
	const pairs = buckets.flatMap((bucket, i) => (i % 2 === 0 ? [merge(bucket, buckets[i + 1])] : []));
	return { size: size * 2, buckets: [...pairs, added] };
}

/** Returns the kept points of a curve, in order. */
export function pointsOf({ buckets }: Curve): CurvePoint[] {
	return buckets.flatMap(({ kept }) => kept);
}

function merge(one: Bucket, other: Bucket | undefined): Bucket {
	if (!other) return one;
	const points = [...one.kept, ...other.kept];
	const values = points.map(([, , value]) => value);
	const places = [0, values.indexOf(Math.min(...values)), values.indexOf(Math.max(...values)), points.length - 1];
	const kept = [...new Set(places)].sort((a, b) => a - b).map((place) => points[place] as CurvePoint);
	return { count: one.count + other.count, kept };
}
