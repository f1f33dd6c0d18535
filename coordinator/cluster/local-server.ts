import { TailtuneError } from "../../shared/errors.ts";
import { Supervisor } from "../../shared/processes/supervisor.ts";
import { type NatsServerOptions, startNatsServer } from "./nats-server.ts";
import { RESTART_POLICY } from "./restart-policy.ts";

interface Listeners {
	/** Called for a server that died and is started again. */
	readonly tell: (line: string) => void;
	/** Called when it is not started again. */
	readonly fail: (error: Error) => void;
}

/** A nats-server for one run. */
export interface LocalServer {
	/** The same after a restart. */
	readonly url: string;
	/** Ends it, also while it is started again. */
	stop(): Promise<void>;
}

/**
 * Starts a nats-server and keeps it running until it is stopped.
 * @throws TailtuneError "engine" if it doesn't start
 */
export async function startLocalServer(options: NatsServerOptions, listeners: Listeners): Promise<LocalServer> {
	const first = await startNatsServer(options);
	const { url, port } = first;
	const supervisor = new Supervisor({
		first,
		start: (signal) => startNatsServer({ ...options, port }, signal),
		policy: RESTART_POLICY,
		onRestart: () => listeners.tell("nats-server died; starting another"),
	});
	supervisor.ended.then((reason) => {
		if (reason) listeners.fail(new TailtuneError("engine", `nats-server died ${reason.ends} times`));
	}, listeners.fail);
	return { url, stop: () => supervisor.stop() };
}
