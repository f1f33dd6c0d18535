import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { TailtuneError } from "../../shared/errors.ts";
import { stopChild } from "../../shared/processes/stop-child.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";
import { ENGINE_SETTINGS } from "../../shared/settings/flags.ts";
import { flagOf } from "../../shared/settings/resolve-config.ts";
import { RUN_SERVER_START_MS, RUN_SERVER_STOP_MS } from "../deadlines.ts";

/** A server of a run's best model so far. */
export interface RunServer {
	/** HOST:PORT on which it listens. */
	readonly address: string;
	/** Ends the server after it has answered the accepted calls. */
	end(): Promise<void>;
}

/** Starts a server for a run folder. */
export type StartRunServer = (run: string, config: TrainConfig) => Promise<RunServer>;

/**
 * Returns a function that runs `tailtune serve` in a separate process, so that training and serving don't delay each
 * other and a failure affects only one of them. The server ends with this process, even if this one is killed.
 * @param listen HOST:PORT
 * @param limitMs milliseconds until it must listen
 * @throws TailtuneError "usage", by the returned function, if the server can't listen there
 */
export function createServerStarter(listen: string, limitMs = RUN_SERVER_START_MS): StartRunServer {
	return async (run, config) => {
		const engine = ENGINE_SETTINGS.flatMap((key) => {
			const value = config[key];
			return value === undefined ? [] : [flagOf(key), String(value)];
		});
		const args = ["serve", run, "--listen", listen, "--log-level", "warn", ...engine];
		// The log goes to standard error, because standard output belongs to the run.
		const server = fork(process.argv[1] ?? "", args, { stdio: ["ignore", 2, 2, "ipc"] });
		const address = await waitForAddress(server, limitMs);
		if (address !== undefined) return { address, end: () => stopChild(server, RUN_SERVER_STOP_MS) };
		await stopChild(server, 0);
		throw new TailtuneError("usage", `--serve ${listen}: the server didn't start`);
	};
}

/** Returns the address that a server sends when it listens; undefined if it ends before, or sends none in time. */
async function waitForAddress(server: ChildProcess, limitMs: number): Promise<string | undefined> {
	const over = new AbortController();
	const giveUp = () => over.abort();
	const timer = setTimeout(giveUp, limitMs);
	server.once("exit", giveUp);
	try {
		const [address] = await once(server, "message", { signal: over.signal });
		return String(address);
	} catch {
		return undefined;
	} finally {
		clearTimeout(timer);
		server.off("exit", giveUp);
	}
}
