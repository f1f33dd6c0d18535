import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Command } from "commander";
import type { Bus, RunView } from "../../shared/bus/bus.ts";
import { Notices } from "../../shared/notices.ts";
import { createInterruptSignal } from "../../shared/processes/interrupt.ts";
import { checkNatsUrls } from "../../shared/settings/nats-urls.ts";
import { RUNS_WATCH_MS } from "../deadlines.ts";
import type { KnownRuns } from "../run-folder/list-runs.ts";
import { LiveLines } from "../terminal/live-lines.ts";
import { writeJsonLine } from "../terminal/write-json-line.ts";
import { askCluster, findRun } from "./ask-cluster.ts";
import { showEvents } from "./show-events.ts";

interface Options {
	readonly nats?: string;
	readonly watch?: boolean;
	readonly json?: boolean;
}

/** `tailtune runs`: prints the runs of a folder, or the runs of a cluster and their progress. */
export function addRunsCommand(program: Command): void {
	program
		.command("runs")
		.description("list the runs of a folder or of a cluster, or print the details of one run of a cluster")
		.argument("[run]", "folder with runs (default: runs); with --nats: id of a run, or a unique prefix of it")
		.option(
			"--nats <urls>",
			"list the runs of the cluster with these NATS servers; commas separate several URLs",
			checkNatsUrls,
		)
		.option("--watch", "show every change, until Ctrl-C or the end of that run")
		.action(async (run: string | undefined, _: object, self: Command) => {
			const options = self.optsWithGlobals<Options>();
			const { nats } = options;
			await (nats === undefined ? listFolder(run, options) : listCluster(run, { ...options, nats }));
		});
}

async function listFolder(given: string | undefined, { json, watch }: Options): Promise<void> {
	const [{ listLocalRuns }, { RUNS_FOLDER }, { localRunsTable }] = await Promise.all([
		import("../run-folder/list-runs.ts"),
		import("../run-folder/run-folder.ts"),
		import("../terminal/local-runs-lines.ts"),
	]);
	const folder = given ?? RUNS_FOLDER;
	const print = createPrinter(watch);
	const show = (runs: Awaited<ReturnType<typeof listLocalRuns>>) => {
		if (json) writeJsonLine({ event: "local-runs", folder, runs });
		else print(localRunsTable(runs));
	};
	const known: KnownRuns = new Map();
	const list = () => listLocalRuns(folder, known);
	const runs = await list();
	show(runs);
	if (!watch) return;
	const interrupt = createInterruptSignal();
	await follow({ list, show, shown: runs, signal: interrupt }).catch((error) => {
		if (!interrupt.aborted) throw error;
	});
}

async function listCluster(id: string | undefined, options: Options & { readonly nats: string }): Promise<void> {
	const show = options.json ? showJson : await showLines(id, options.watch);
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
		const { signal } = watch ?? {};
		if (signal) await follow({ list: listWanted, show, shown: runs, signal, isOfOne: wanted !== undefined });
	};
	await askCluster(options, ask, watch);
}

interface Followed<Run> {
	readonly list: () => Promise<Run[]>;
	readonly show: (runs: Run[]) => void;
	/** The runs shown last. */
	readonly shown: readonly Run[];
	readonly signal: AbortSignal;
	/** Whether to return when the run has ended; default false. */
	readonly isOfOne?: boolean;
}

/** Shows every change. @throws Error if the signal aborts */
async function follow<Run>({ list, show, shown, signal, isOfOne = false }: Followed<Run>): Promise<void> {
	let last = shown;
	while (!(isOfOne && last.length === 0)) {
		await sleep(RUNS_WATCH_MS, undefined, { signal });
		const runs = await list();
		if (!isDeepStrictEqual(runs, last)) show(runs);
		last = runs;
	}
}

function showJson(runs: readonly RunView[]): void {
	writeJsonLine({ event: "runs", runs });
}

/** Returns a function that prints runs as lines: a table, or the details of one run if `id` is given. */
async function showLines(id: string | undefined, watch: boolean | undefined) {
	const { runDetails, runsTable } = await import("../terminal/run-lines.ts");
	const print = createPrinter(watch);
	return (runs: readonly RunView[]) => {
		const [run] = runs;
		print(id !== undefined && run !== undefined ? runDetails(run) : runsTable(runs));
	};
}

/** Returns a function that prints lines. With `watch` they replace those before, cut to the width of the terminal. */
function createPrinter(watch = false): (lines: readonly string[]) => void {
	if (!watch) return (lines) => process.stdout.write(`${lines.join("\n")}\n`);
	const live = new LiveLines(process.stdout);
	return (lines) => live.show(() => lines);
}
