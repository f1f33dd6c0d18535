import type { Command } from "commander";
import type { Bus, RunView } from "../../shared/bus/bus.ts";
import { readNatsAccess } from "../../shared/bus/nats/credentials.ts";
import { connectNatsBus } from "../../shared/bus/nats/nats-bus.ts";
import { TailtuneError } from "../../shared/errors.ts";
import type { Notices } from "../../shared/notices.ts";
import { raceAbort } from "../../shared/race-abort.ts";

/** Options of every command that asks a cluster. */
export interface AskOptions {
	readonly nats: string;
	readonly json?: boolean;
}

/** Adds the flag of `askCluster`. */
export function addNatsFlag(command: Command): Command {
	return command.requiredOption("--nats <urls>", "one or more URLs of NATS servers with commas between");
}

/** A cluster that can't answer for so long is given up, unless it is watched. */
const PATIENCE_MS = 5000;

/**
 * Does something on a cluster's bus as a client: reads, and asks runs to stop.
 * @param watch for a command that goes on: waits for a cluster that can't answer, and says so, until the signal aborts
 * @throws TailtuneError "offline" with what is wrong if the cluster doesn't answer
 */
export async function askCluster(
	{ nats }: AskOptions,
	ask: (bus: Bus) => Promise<void>,
	watch?: { readonly notices: Notices; readonly signal: AbortSignal },
): Promise<void> {
	const patience = watch ?? { patienceMs: PATIENCE_MS };
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

/** The run whose id begins so. @throws TailtuneError "not-found" where none does, "usage" where several do */
export function findRun(runs: readonly RunView[], id: string): RunView {
	const [found, another] = runs.filter(({ spec }) => spec.runId.startsWith(id));
	if (!found) throw new TailtuneError("not-found", `run ${id}: there is none, tailtune runs shows those there are`);
	if (another) throw new TailtuneError("usage", `run ${id}: several begin so, expected more of its id`);
	return found;
}
