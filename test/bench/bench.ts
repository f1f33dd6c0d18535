/** A row of a table: one comparison with its figures. */
export interface Row {
	/** Name of the measurement, for example "default run, fp32, whole process". */
	readonly figure: string;
	/** Ratios, medians and spreads by column. The column's name contains the unit. */
	readonly values: Record<string, number | string>;
	/** Target for the ratio, in words. */
	readonly aim?: string;
	/** Whether the target is reached. Unset: no target, or no peer to compare with. */
	readonly reached?: boolean;
	/** Remark printed below the table. */
	readonly note?: string;
}

/** Rows with a common title; the table has the columns of all their values. */
export interface Table {
	readonly title: string;
	readonly rows: readonly Row[];
}

/** Settings common to all benches. */
export interface BenchContext {
	/** Measurements per side; benches compare medians. */
	readonly repeats: number;
	/** Folder of the programs to compare with. Unset: only Tailtune is measured. */
	readonly peers?: string | undefined;
	/** Prints one line of progress. */
	readonly log: (line: string) => void;
}

/** Measurements run by `npm run bench -- NAME`. */
export interface Bench {
	readonly name: string;
	readonly run: (context: BenchContext) => Promise<readonly Table[]>;
}
