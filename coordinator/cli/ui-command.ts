import type { Command } from "commander";
import type { Bus } from "../../shared/bus/bus.ts";
import { Notices } from "../../shared/notices.ts";
import { createInterruptSignal } from "../../shared/processes/interrupt.ts";
import { createAddressCheck } from "../../shared/settings/host-port.ts";
import { checkNatsUrls } from "../../shared/settings/nats-urls.ts";
import type { WorkerSide } from "../../shared/worker-port/worker-side.ts";
import { askCluster } from "./ask-cluster.ts";
import { showEvents } from "./show-events.ts";

interface Options {
	readonly listen?: string;
	readonly nats?: string;
	readonly json?: boolean;
}

/** `tailtune ui`: shows the runs of a folder and of a cluster in a browser, until Ctrl-C or SIGTERM. */
export function addUiCommand(program: Command, workerSide: WorkerSide): void {
	program
		.command("ui")
		.description("show the runs of a folder in a browser, also while they train, and compare two of them")
		.argument("[runs]", "folder with runs (default: runs)")
		.option(
			"--listen <host:port>",
			"address of the page (default: 127.0.0.1:7007, or the next free port)",
			createAddressCheck("--listen"),
		)
		.option(
			"--nats <urls>",
			"also show the runs of the cluster with these NATS servers; commas separate several URLs",
			checkNatsUrls,
		)
		.action((given: string | undefined, _: object, self: Command) =>
			showRuns(given, self.optsWithGlobals<Options>(), workerSide),
		);
}

async function showRuns(given: string | undefined, options: Options, workerSide: WorkerSide): Promise<void> {
	const [{ openRunsPage }, { LiveCluster }, { RUNS_FOLDER }, { readPageOptions }] = await Promise.all([
		import("../dashboard/open-runs-page.ts"),
		import("../dashboard/live-cluster.ts"),
		import("../run-folder/run-folder.ts"),
		import("./read-page-options.ts"),
	]);
	const { nats, listen } = options;
	const signal = createInterruptSignal();
	const cluster = nats === undefined ? undefined : new LiveCluster();
	const place = listen === undefined ? undefined : { address: listen, flag: "--listen" };
	const page = await openRunsPage(given ?? RUNS_FOLDER, await readPageOptions(place, workerSide), cluster);
	try {
		const events = showEvents(options);
		events.line(`dashboard: ${page.url}`);
		const interrupted = new Promise<void>((resolve) => {
			signal.addEventListener("abort", () => resolve());
			if (signal.aborted) resolve();
		});
		if (nats === undefined || !cluster) return await interrupted;
		const notices = new Notices((notice) => {
			events.emit({ event: "notice", ...notice });
			cluster.report(notice);
		});
		const follow = (bus: Bus) => {
			cluster.connect(bus);
			return interrupted;
		};
		await askCluster({ nats }, follow, { notices, signal });
	} finally {
		await page.close();
	}
}
