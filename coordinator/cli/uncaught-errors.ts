import { exitCodeOf, systemCodeOf } from "../../shared/errors.ts";
import { asDiskError } from "../../shared/files/write-atomic.ts";
import { exitNow } from "./exit-now.ts";

/**
 * Handles what no command can catch: readers that go away, as `head` does, are no failure, and any other error is
 * reported and ends the process. To be called first: the wasm backend answers such errors with its own source code.
 */
export function guardProcess(report: (error: unknown) => void): void {
	process.on("uncaughtException", (error) => {
		report(error);
		exitNow(exitCodeOf(error));
	});
	process.stdout.on("error", (error) => {
		if (systemCodeOf(error) !== "EPIPE") throw asDiskError("stdout", error);
	});
	process.stderr.on("error", () => {}); // there is nowhere left to tell it
}
