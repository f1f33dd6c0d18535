import { exitCodeOf, systemCodeOf } from "../../shared/errors.ts";
import { asDiskError } from "../../shared/files/write-atomic.ts";
import { exitNow } from "./exit-now.ts";

/**
 * Installs handlers for errors that no command can catch: it ignores a reader of standard output that has gone
 * (`head`); any other error is reported and ends the process. Call it first: the wasm backend's handler prints its own
 * source code.
 */
export function guardProcess(report: (error: unknown) => void): void {
	process.on("uncaughtException", (error) => {
		report(error);
		exitNow(exitCodeOf(error));
	});
	process.stdout.on("error", (error) => {
		if (systemCodeOf(error) !== "EPIPE") throw asDiskError("stdout", error);
	});
	process.stderr.on("error", () => {}); // it can't be reported anywhere
}
