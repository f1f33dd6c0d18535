import type { Command } from "commander";
import type { Bus, RunView } from "../../shared/bus/bus.ts";
import { connectNatsBus } from "../../shared/bus/nats-bus.ts";
import { natsAccess } from "../../shared/bus/nats-credentials.ts";
import { TailtuneError } from "../../shared/errors.ts";

/** Options of every command that asks a cluster. */
export interface AskOptions {
	readonly nats: string;
	readonly json?: boolean;
}

/** Adds the flag of `askCluster`. */
export function addNatsFlag(command: Command): Command {
	return command.requiredOption("--nats <urls>", "one or more URLs of NATS servers with commas between");
}

/** Does something on a cluster's bus as a client: reads, and asks runs to stop. */
export async function askCluster<T>({ nats }: AskOptions, ask: (bus: Bus) => Promise<T>): Promise<T> {
	const bus = await connectNatsBus({ servers: nats, role: "client", ...(await natsAccess()) });
	try {
		return await ask(bus);
	} finally {
		await bus.close();
	}
}

/** The run whose id begins so. @throws TailtuneError "not-found" where none does, "usage" where several do */
export function findRun(runs: readonly RunView[], id: string): RunView {
	const [found, another] = runs.filter(({ spec }) => spec.runId.startsWith(id));
	if (!found) throw new TailtuneError("not-found", `run ${id}: there is none, tailtune runs shows those there are`);
	if (another) throw new TailtuneError("usage", `run ${id}: several begin so, expected more of its id`);
	return found;
}
