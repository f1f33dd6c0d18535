import { type Logger, pino } from "pino";

/** A server's log: one JSON object per line. */
export type Log = Pick<Logger, "debug" | "info" | "warn" | "error">;

/** Creates a log on standard output. @param level lowest level that is logged, for example "info" */
export function createLog(level: string): Log {
	return pino({ level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime });
}
