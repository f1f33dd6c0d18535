import { TailtuneError } from "../../shared/errors.ts";
import { Supervisor } from "../../shared/processes/supervisor.ts";
import { type NatsServerOptions, startNatsServer } from "./nats-server.ts";
import { RESTART_POLICY } from "./restart-policy.ts";

interface Listeners {
	/** Called when the server died and is restarted. */
	readonly log: (line: string) => void;
	/** Called when the server died and is not restarted. */
	readonly fail: (error: Error) => void;
}

/** A nats-server for one run. */
export interface LocalServer {
	/** Does not change when the server is restarted. */
	readonly url: string;
	/** Stops the server, also during a restart. */
	stop(): Promise<void>;
}

/**
 * Starts a nats-server and restarts it if it dies, until it is stopped.
 * @throws TailtuneError "engine" if it doesn't start
 */
export async function startLocalServer(options: NatsServerOptions, listeners: Listeners): Promise<LocalServer> {
	const first = await startNatsServer(options);
	const { url, port } = first;
	const supervisor = new Supervisor({
		first,
		start: (signal) => startNatsServer({ ...options, port }, signal),
		policy: RESTART_POLICY,
		onRestart: () => listeners.log("nats-server died; starting another"),
	});
	supervisor.ended.then((reason) => {
		if (reason) listeners.fail(new TailtuneError("engine", `nats-server died ${reason.ends} times`));
	}, listeners.fail);
	return { url, stop: () => supervisor.stop() };
}
