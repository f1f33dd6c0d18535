import type { Bench } from "./bench.ts";
import { clusterBench } from "./cluster.ts";
import { dashboardBench } from "./dashboard.ts";
import { fleetBench } from "./fleet.ts";
import { scaleBench } from "./scale.ts";
import { serveBench } from "./serve.ts";
import { speedBench } from "./speed.ts";
import { stepsBench } from "./steps.ts";

/** Command-line options used by some of the benches. */
export interface BenchOptions {
	/** Python interpreter for the programs to compare with. */
	readonly python: string;
	/** Labelled texts, as for `tailtune train --data`. */
	readonly data: string | undefined;
	/** Number of texts of a whole run. */
	readonly texts: number;
	/** Whether to use full sizes instead of reduced ones. */
	readonly full: boolean;
}

/** Lists all benches in the order of their execution. */
export function listBenches(options: BenchOptions): readonly Bench[] {
	return [
		speedBench(options),
		stepsBench(options),
		scaleBench(options),
		clusterBench(options),
		fleetBench(options),
		serveBench(options),
		dashboardBench(),
	];
}
