/** A line of a table: one comparison, with the figures that it rests on. */
export interface Row {
	/** What was measured, as in "default run, fp32, whole process". */
	readonly figure: string;
	/** Ratios, medians and spread by column, units in the column's name; strings are shown as they are. */
	readonly values: Record<string, number | string>;
	/** What the ratio ought to be, in words. */
	readonly aim?: string;
	/** Whether it is; left out where there is no aim, or no peer to compare with. */
	readonly reached?: boolean;
	/** What a reader must know about this line. */
	readonly note?: string;
}

/** Rows that belong together; their columns are those of all their values. */
export interface Table {
	readonly title: string;
	readonly rows: readonly Row[];
}

/** What every bench is given. */
export interface BenchContext {
	/** Measurements of each side; benches compare medians. */
	readonly repeats: number;
	/** Folder of the programs to compare with; without it a bench measures Tailtune alone. */
	readonly peers?: string | undefined;
	/** Tells of progress, a line at a time. */
	readonly log: (line: string) => void;
}

/** Measurements that are run by one name: `npm run bench -- NAME`. */
export interface Bench {
	readonly name: string;
	readonly run: (context: BenchContext) => Promise<readonly Table[]>;
}
