import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Command } from "commander";
import type { Bus, RunView } from "../../shared/bus/bus.ts";
import { Notices } from "../../shared/notices.ts";
import { createInterruptSignal } from "../../shared/processes/interrupt.ts";
import { RUNS_WATCH_MS } from "../deadlines.ts";
import { runDetails, runsTable } from "../terminal/run-lines.ts";
import { writeJsonLine } from "../terminal/write-json-line.ts";
import { type AskOptions, addNatsFlag, askCluster, findRun } from "./ask-cluster.ts";
import { showEvents } from "./show-events.ts";

interface Options extends AskOptions {
	readonly watch?: boolean;
}

/** `tailtune runs`: prints the runs of a cluster and their progress. */
export function addRunsCommand(program: Command): void {
	const command = program
		.command("runs")
		.description("list the runs of a cluster, or print the details of one run")
		.argument("[id]", "run id, or a unique prefix of it")
		.option("--watch", "print every change, until Ctrl-C or the end of that run");
	addNatsFlag(command).action(async (id: string | undefined, _: object, self: Command) => {
		const options = self.optsWithGlobals<Options>();
		const show = options.json ? showJson : showLines(id);
		const events = showEvents(options);
		const notices = new Notices((notice) => events.emit({ event: "notice", ...notice }));
		const watch = options.watch ? { notices, signal: createInterruptSignal() } : undefined;
		const ask = async (bus: Bus) => {
			// Uses the whole id from here on: if that run is missing later, it has ended.
			const wanted = id === undefined ? undefined : findRun(await bus.listRuns(), id).spec.runId;
			const listWanted = async () =>
				(await bus.listRuns()).filter(({ spec }) => wanted === undefined || spec.runId === wanted);
			const runs = await listWanted();
			show(runs);
			if (watch) await follow(listWanted, show, runs, wanted !== undefined);
		};
		await askCluster(options, ask, watch);
	});
}

/** Shows every change. @param isOfOne whether to return when the run has ended */
async function follow(
	list: () => Promise<RunView[]>,
	show: (runs: readonly RunView[]) => void,
	shown: readonly RunView[],
	isOfOne: boolean,
): Promise<void> {
	let last = shown;
	while (!(isOfOne && last.length === 0)) {
		await sleep(RUNS_WATCH_MS);
		const runs = await list();
		if (!isDeepStrictEqual(runs, last)) show(runs);
		last = runs;
	}
}

function showJson(runs: readonly RunView[]): void {
	writeJsonLine({ event: "runs", runs });
}

/** Returns a function that prints runs as lines: a table, or the details of one run if `id` is given. */
function showLines(id: string | undefined) {
	return (runs: readonly RunView[]) => {
		const [run] = runs;
		const isDetailed = id !== undefined && run !== undefined;
		const lines = isDetailed ? runDetails(run) : runsTable(runs);
		process.stdout.write(`${lines.join("\n")}\n`);
	};
}
