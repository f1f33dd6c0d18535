/** An output stream. Bars and colours are used if `isTTY` is true. */
export type TerminalStream = NodeJS.WritableStream & {
	readonly isTTY?: boolean;
	/** Its size; 0 or unset if it is unknown. */
	readonly columns?: number;
	readonly rows?: number;
	/** Node's function that reads the size again. Otherwise it is read when the event loop handles the signal. */
	readonly _refreshSize?: () => void;
};
