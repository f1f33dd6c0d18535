import { type Logger, pino } from "pino";

/** Where a server tells what happens: a JSON object a line. */
export type Log = Pick<Logger, "debug" | "info" | "warn" | "error">;

/** A log on standard output. @param level of the least important line, as in "info" */
export function createLog(level: string): Log {
	return pino({ level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime });
}
