import type { Command } from "commander";
import type { Bus } from "../../shared/bus/bus.ts";
import { createTerminal } from "../terminal/terminal.ts";
import { type AskOptions, addNatsFlag, askCluster, findRun } from "./ask-cluster.ts";

/** `tailtune cancel`: stops a run as Ctrl-C at its coordinator does. */
export function addCancelCommand(program: Command): void {
	const command = program
		.command("cancel")
		.description("ask the coordinator of a run to stop: it leaves a checkpoint, and can go on later")
		.argument("<id>", "id of the run, or how it begins");
	addNatsFlag(command).action(async (id: string, _: object, self: Command) => {
		const options = self.optsWithGlobals<AskOptions>();
		const terminal = createTerminal(options);
		await askCluster(options, async (bus) => {
			const { spec, progress } = findRun(await bus.listRuns(), id);
			const retired = untilRetired(bus, spec.runId);
			await bus.cancel(spec.runId);
			terminal.line(`run ${spec.runId}: its coordinator stops after the step in hand`);
			await retired;
			const where = progress ? ` on ${progress.host}: npx tailtune train --resume ${progress.folder}` : "";
			terminal.line(`run ${spec.runId}: stopped; go on${where}`);
		});
	});
}

async function untilRetired(bus: Bus, runId: string): Promise<void> {
	for await (const event of bus.watchRuns(new AbortController().signal))
		if (event.type === "retired" && event.runId === runId) return;
}
