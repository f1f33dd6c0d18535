import type { ParameterLayout } from "../../shared/model/parameter-layout.ts";
import type { SafetensorsFile } from "../../shared/model/safetensors.ts";
import type { GoldenCase, GoldenSet } from "./golden-format.ts";
import { larger, largestNoise, type Measurement, type Pair, pairsOf, statsOf } from "./measure.ts";

/** Location of the golden numbers of a parameter vector. */
export interface Stored {
	readonly set: GoldenSet;
	readonly golden: GoldenCase;
	readonly file: SafetensorsFile;
	/** For example "grad", "after", "main/2/0/grad". */
	readonly part: string;
	readonly stride: number;
}

/** Correct implementations may differ by this factor more than the two measured in the set's README. */
const MARGIN = 10;
/** The README's bound on a gradient that is 0 in exact arithmetic. */
const LARGEST_NOISE = 1e-6;
/** After Adam's steps 999 of 1000 numbers agree this well; the rest took arbitrary steps (README, Tolerance). */
const CLOSE = 1e-4;
const STRAY_SHARE = 1 / 1000;
/** Statistics are stored as float32. */
const ROUNDING = 2 ** -23;

/** Returns the allowed difference: ten times the larger of the two in the README's table. */
export function allowedOf({ float64, shaken }: GoldenCase, key: keyof GoldenCase["float64"]): number {
	return MARGIN * Math.max(float64[key], shaken[key]);
}

interface Named extends Pair {
	readonly name: string;
	/** The golden [sum, sum of |x|, sqrt of sum of x^2] of the whole tensor. */
	readonly golden: readonly number[];
}

/** Compares gradients, relative to the largest entry of each tensor. */
export async function compareGradients(
	own: Float32Array,
	layout: ParameterLayout,
	stored: Stored,
): Promise<Measurement[]> {
	const relative = allowedOf(stored.golden, "grad_rel");
	const all = await tensorsOf(own, layout, stored);
	return all.flatMap((tensor) => {
		const { name, full, width, noise, golden } = tensor;
		const what = `${stored.part}/${name}`;
		const { stats, count } = statsOf(full, width, noise);
		const pairs = [...pairsOf(tensor)];
		// A thinned tensor may lack its largest entry, which is at least the root of the mean square.
		const top = pairs.reduce(
			(most, [value]) => larger(most, Math.abs(value)),
			(golden[2] ?? 0) / Math.sqrt(count || 1),
		);
		const found = pairs.reduce((most, [value, mine]) => larger(most, Math.abs(value - mine)), 0);
		const entry = relative * top;
		return [
			{ what, found, allowed: entry },
			{ what: `${what} noise`, found: largestNoise(full, width, noise), allowed: LARGEST_NOISE },
			// Largest differences of the statistics if each entry differs by at most the allowed amount.
			...compareStats(what, stats, golden, [count * entry, count * entry, Math.sqrt(count) * entry]),
		];
	});
}

/** Compares parameters after the steps. */
export async function compareAfter(own: Float32Array, layout: ParameterLayout, stored: Stored): Promise<Measurement[]> {
	const { lr, steps } = stored.set.adamw;
	const furthest = 2 * lr * steps;
	const measured: Measurement[] = [];
	let [compared, stray] = [0, 0];
	for (const tensor of await tensorsOf(own, layout, stored)) {
		const what = `${stored.part}/${tensor.name}`;
		let found = 0;
		for (const [value, mine] of pairsOf(tensor)) {
			const difference = Math.abs(value - mine);
			found = larger(found, difference);
			compared++;
			if (!(difference <= CLOSE)) stray++;
		}
		const { stats, count } = statsOf(tensor.full, tensor.width, tensor.noise);
		const sum = count * (CLOSE + STRAY_SHARE * furthest);
		const root = Math.sqrt(count * (CLOSE ** 2 + STRAY_SHARE * furthest ** 2));
		measured.push({ what, found, allowed: furthest }, ...compareStats(what, stats, tensor.golden, [sum, sum, root]));
	}
	const allowed = Math.floor(compared * STRAY_SHARE);
	return [...measured, { what: `${stored.part}: entries off by more than ${CLOSE}`, found: stray, allowed }];
}

function compareStats(what: string, own: readonly number[], golden: readonly number[], allowed: readonly number[]) {
	return ["sum", "sum of |x|", "root of squares"].map((name, i) => {
		const value = golden[i] ?? Number.NaN;
		const found = Math.max(0, Math.abs((own[i] ?? Number.NaN) - value) - Math.abs(value) * ROUNDING);
		return { what: `${what} ${name}`, found, allowed: allowed[i] ?? 0 };
	});
}

async function tensorsOf(own: Float32Array, layout: ParameterLayout, stored: Stored): Promise<Named[]> {
	const { set, golden, file, part, stride } = stored;
	const trained = layout.entries.filter(({ offset }) => offset < layout.trainedSize);
	const names = golden.trainable_parameters;
	if (
		trained
			.map(({ name }) => name)
			.sort()
			.join() !== [...names].sort().join()
	) {
		throw new Error(`${golden.name}: found trained parameters ${names}, expected ${trained.map(({ name }) => name)}`);
	}
	const stats = await file.read(`${part}_stats`);
	return Promise.all(
		trained.map(async ({ name, shape, offset, size }) => {
			const row = names.indexOf(name);
			return {
				name,
				stored: await file.read(`${part}/${name}`),
				full: own.subarray(offset, offset + size),
				step: size >= set.thin_from ? stride : 1,
				width: shape.at(-1) ?? 1,
				noise: golden.noise_columns[name],
				golden: [...stats.subarray(3 * row, 3 * row + 3)],
			};
		}),
	);
}
