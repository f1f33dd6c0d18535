import type { Bench } from "./bench.ts";

/** What the command line says to particular benches. */
export interface BenchOptions {
	/** Interpreter that runs the programs to compare with. */
	readonly python: string;
	/** Labelled texts to measure with, as `--data` of `tailtune train`. */
	readonly data: string | undefined;
	/** Whether to measure at full size what is scaled down otherwise. */
	readonly full: boolean;
}

/** Every bench, in the order in which they are run. */
export function listBenches(_options: BenchOptions): readonly Bench[] {
	return [];
}
