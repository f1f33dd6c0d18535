import type { Command } from "commander";
import type { Bus, RunView } from "../../shared/bus/bus.ts";
import { TailtuneError } from "../../shared/errors.ts";
import type { Notices } from "../../shared/notices.ts";
import { raceAbort } from "../../shared/race-abort.ts";
import { checkNatsUrls } from "../../shared/settings/nats-urls.ts";
import { CLUSTER_ANSWER_MS } from "../deadlines.ts";

/** Options of every command that connects to a cluster as a client. */
export interface AskOptions {
	readonly nats: string;
	readonly json?: boolean;
}

/** Adds `--nats`. */
export function addNatsFlag(command: Command): Command {
	return command.requiredOption("--nats <urls>", "required; URLs of NATS servers, separated by commas", checkNatsUrls);
}

/**
 * Connects to a cluster's bus as a client, which may read and ask runs to stop, and calls `ask`.
 * @param watch for a command that keeps running: waits for the cluster until the signal aborts, and reports the reason
 * @throws TailtuneError "offline" with the reason if the cluster doesn't answer
 */
export async function askCluster(
	{ nats }: AskOptions,
	ask: (bus: Bus) => Promise<void>,
	watch?: { readonly notices: Notices; readonly signal: AbortSignal },
): Promise<void> {
	const patience = watch ?? { patienceMs: CLUSTER_ANSWER_MS };
	const [{ readNatsAccess }, { connectNatsBus }] = await Promise.all([
		import("../../shared/bus/nats/credentials.ts"),
		import("../../shared/bus/nats/nats-bus.ts"),
	]);
	try {
		const bus = await connectNatsBus({ servers: nats, role: "client", ...patience, ...(await readNatsAccess()) });
		try {
			await (watch ? raceAbort(ask(bus), watch.signal) : ask(bus));
		} finally {
			await bus.close();
		}
	} catch (error) {
		if (!watch?.signal.aborted) throw error;
	}
}

/**
 * Finds a run by a prefix of its id.
 * @throws TailtuneError "not-found" if there is none, "usage" if there are several
 */
export function findRun(runs: readonly RunView[], id: string): RunView {
	const [found, another] = runs.filter(({ spec }) => spec.runId.startsWith(id));
	if (!found) throw new TailtuneError("not-found", `run ${id}: not found; tailtune runs lists all runs`);
	if (another) throw new TailtuneError("usage", `run ${id}: found several runs, expected a longer prefix of the id`);
	return found;
}
