import type { TrunkPrecision } from "../model/trunk-precision.ts";

/** One engine and backend, as `tailtune doctor` shows it. */
export interface EngineReport {
	readonly engine: string;
	readonly backend: string;
	readonly usable: boolean;
	/** The version if it is usable; otherwise the reason and how to install it. */
	readonly detail: string;
}

/** Rates of this machine in the matrix products of the frozen blocks, in 10^9 operations per second. */
export interface ProductRates {
	readonly precision: TrunkPrecision;
	readonly threads: number;
	/** The products only. */
	readonly productsGflops: number;
	/** Whole blocks; only the operations of the products are counted. */
	readonly trunkGflops: number;
}
