import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Command } from "commander";
import type { Bus, RunView } from "../../shared/bus/bus.ts";
import { Notices } from "../../shared/notices.ts";
import { interruptSignal } from "../../shared/processes/interrupt.ts";
import { runDetails, runsTable } from "../terminal/run-lines.ts";
import { writeJsonLine } from "../terminal/write-json-line.ts";
import { type AskOptions, addNatsFlag, askCluster, findRun } from "./ask-cluster.ts";
import { showEvents } from "./show-events.ts";

const LOOK_EVERY_MS = 1000;

interface Options extends AskOptions {
	readonly watch?: boolean;
}

/** `tailtune runs`: what runs on a cluster, and how far it has come. */
export function addRunsCommand(program: Command): void {
	const command = program
		.command("runs")
		.description("show the runs of a cluster, or all that is known of one")
		.argument("[id]", "id of a run, or how it begins")
		.option("--watch", "go on showing, until Ctrl-C or the end of that run");
	addNatsFlag(command).action(async (id: string | undefined, _: object, self: Command) => {
		const options = self.optsWithGlobals<Options>();
		const show = options.json ? showJson : showLines(id);
		const events = showEvents(options);
		const notices = new Notices((notice) => events.emit({ event: "notice", ...notice }));
		const watch = options.watch ? { notices, signal: interruptSignal() } : undefined;
		const ask = async (bus: Bus) => {
			// From here on it goes by its whole id, so that its end is not taken for a slip.
			const wanted = id === undefined ? undefined : findRun(await bus.listRuns(), id).spec.runId;
			const look = async () =>
				(await bus.listRuns()).filter(({ spec }) => wanted === undefined || spec.runId === wanted);
			const runs = await look();
			show(runs);
			if (watch) await follow(look, show, runs, wanted !== undefined);
		};
		await askCluster(options, ask, watch);
	});
}

/** Shows every change; if it is about one run, until that is gone. */
async function follow(
	look: () => Promise<RunView[]>,
	show: (runs: readonly RunView[]) => void,
	shown: readonly RunView[],
	isOfOne: boolean,
): Promise<void> {
	let last = shown;
	while (!(isOfOne && last.length === 0)) {
		await sleep(LOOK_EVERY_MS);
		const runs = await look();
		if (!isDeepStrictEqual(runs, last)) show(runs);
		last = runs;
	}
}

function showJson(runs: readonly RunView[]): void {
	writeJsonLine({ event: "runs", runs });
}

function showLines(id: string | undefined) {
	return (runs: readonly RunView[]) => {
		const [run] = runs;
		const isDetailed = id !== undefined && run !== undefined;
		const lines = isDetailed ? runDetails(run) : runsTable(runs);
		process.stdout.write(`${lines.join("\n")}\n`);
	};
}
