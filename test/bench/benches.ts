import type { Bench } from "./bench.ts";
import { clusterBench } from "./cluster.ts";
import { scaleBench } from "./scale.ts";
import { serveBench } from "./serve.ts";
import { speedBench } from "./speed.ts";
import { stepsBench } from "./steps.ts";

/** What the command line says to particular benches. */
export interface BenchOptions {
	/** Interpreter that runs the programs to compare with. */
	readonly python: string;
	/** Labelled texts to measure with, as `--data` of `tailtune train`. */
	readonly data: string | undefined;
	/** Texts of a whole run. */
	readonly texts: number;
	/** Whether to measure at full size what is scaled down otherwise. */
	readonly full: boolean;
}

/** Every bench, in the order in which they are run. */
export function listBenches(options: BenchOptions): readonly Bench[] {
	return [speedBench(options), stepsBench(options), scaleBench(options), clusterBench(options), serveBench(options)];
}
