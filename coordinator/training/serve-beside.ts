import { fork } from "node:child_process";
import { once } from "node:events";
import { TailtuneError } from "../../shared/errors.ts";
import { stopChild } from "../../shared/processes/stop-child.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";
import { ENGINE_SETTINGS } from "../../shared/settings/flags.ts";
import { flagOf } from "../../shared/settings/resolve-config.ts";
import { SERVE_BESIDE_STOP_MS } from "../deadlines.ts";

/** A server of a run's best model so far. */
export interface ServerBeside {
	/** HOST:PORT that it listens on. */
	readonly address: string;
	/** Has it answer the calls under way, and end. */
	end(): Promise<void>;
}

/** Starts this program's `serve` for a run. */
export type ServeBeside = (run: string, config: TrainConfig) => Promise<ServerBeside>;

/**
 * Serves beside the run, in a process of its own: neither waits for the other's event loop, and a fault of one is not
 * the other's. It ends with this process, however that ends.
 * @param listen HOST:PORT
 * @throws TailtuneError "usage" where it can't listen there
 */
export function serveBeside(listen: string): ServeBeside {
	return async (run, config) => {
		const engine = ENGINE_SETTINGS.flatMap((key) => {
			const value = config[key];
			return value === undefined ? [] : [flagOf(key), String(value)];
		});
		const args = ["serve", run, "--listen", listen, "--log-level", "warn", ...engine];
		// Its log goes to standard error: standard output is the run's.
		const server = fork(process.argv[1] ?? "", args, { stdio: ["ignore", 2, 2, "ipc"] });
		const exited = once(server, "exit");
		const [address] = await Promise.race([once(server, "message"), exited.then(() => [undefined])]);
		if (typeof address !== "string") throw new TailtuneError("usage", `--serve ${listen}: the server didn't start`);
		const end = async () => {
			await stopChild(server, SERVE_BESIDE_STOP_MS);
		};
		return { address, end };
	};
}
