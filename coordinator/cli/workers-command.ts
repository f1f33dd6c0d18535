import type { Command } from "commander";
import { workersTable } from "../terminal/run-lines.ts";
import { writeJsonLine } from "../terminal/write-json-line.ts";
import { type AskOptions, addNatsFlag, askCluster } from "./ask-cluster.ts";

/** `tailtune workers`: prints the workers of a cluster and their shards. */
export function addWorkersCommand(program: Command): void {
	const command = program.command("workers").description("list the workers of a cluster and their shards");
	addNatsFlag(command).action(async (_: object, self: Command) => {
		const options = self.optsWithGlobals<AskOptions>();
		await askCluster(options, async (bus) => {
			const [workers, runs] = await Promise.all([bus.listWorkers(), bus.listRuns()]);
			const assignments = runs.flatMap((run) => run.assignments);
			const shardsOf = (workerId: string) => assignments.filter((assignment) => assignment.workerId === workerId);
			const found = workers.map((worker) => ({ ...worker, shards: shardsOf(worker.workerId) }));
			if (options.json) writeJsonLine({ event: "workers", workers: found });
			else process.stdout.write(`${workersTable(found).join("\n")}\n`);
		});
	});
}
