import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { type Bus, coordinatorOffline } from "../../shared/bus/bus.ts";
import { CANCEL_POLL_MS } from "../deadlines.ts";
import { type AskOptions, addNatsFlag, askCluster, findRun } from "./ask-cluster.ts";
import { showEvents } from "./show-events.ts";

/** `tailtune cancel`: stops a run in the same way as Ctrl-C on its coordinator. */
export function addCancelCommand(program: Command): void {
	const command = program
		.command("cancel")
		.description("stop a run: its coordinator saves a checkpoint, so that the run can be resumed")
		.argument("<id>", "run id, or a unique prefix of it");
	addNatsFlag(command).action(async (id: string, _: object, self: Command) => {
		const options = self.optsWithGlobals<AskOptions>();
		const events = showEvents(options);
		await askCluster(options, async (bus) => {
			const { spec, progress } = findRun(await bus.listRuns(), id);
			await bus.cancel(spec.runId);
			events.line(`run ${spec.runId}: stopping after the current step`);
			await waitUntilRetired(bus, spec.runId);
			const resume = progress
				? `; to resume, run on host ${progress.host}: npx tailtune train --resume ${progress.folder}`
				: "";
			events.line(`run ${spec.runId}: stopped${resume}`);
		});
	});
}

/** Waits until the run is gone. @throws TailtuneError "offline" if its coordinator no longer answers */
async function waitUntilRetired(bus: Bus, runId: string): Promise<void> {
	for (;;) {
		const run = (await bus.listRuns()).find(({ spec }) => spec.runId === runId);
		if (!run) return;
		if (!run.progress) throw coordinatorOffline(runId);
		await sleep(CANCEL_POLL_MS);
	}
}
