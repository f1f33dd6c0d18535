import type { Command } from "commander";
import { createInterruptSignal } from "../../shared/processes/interrupt.ts";
import type { WorkerSide } from "../../shared/worker-port/worker-side.ts";
import { showEvents } from "./show-events.ts";

interface Options {
	readonly listen?: string;
	readonly json?: boolean;
}

/** `tailtune ui`: shows the runs of a folder in a browser, until Ctrl-C or SIGTERM. */
export function addUiCommand(program: Command, workerSide: WorkerSide): void {
	program
		.command("ui")
		.description("show the runs of a folder in a browser, also while they train, and compare two of them")
		.argument("[runs]", "folder with runs (default: runs)")
		.option("--listen <host:port>", "address of the page (default: 127.0.0.1:7007, or the next free port)")
		.action(async (given: string | undefined, _: object, self: Command) => {
			const options = self.optsWithGlobals<Options>();
			const [{ openRunsPage }, { RUNS_FOLDER }, { readPageOptions }] = await Promise.all([
				import("../dashboard/open-runs-page.ts"),
				import("../run-folder/run-folder.ts"),
				import("./read-page-options.ts"),
			]);
			const interrupt = createInterruptSignal();
			const page = await openRunsPage(given ?? RUNS_FOLDER, await readPageOptions(options.listen, workerSide));
			showEvents(options).line(`dashboard: ${page.url}`);
			await new Promise((resolve) => interrupt.addEventListener("abort", resolve));
			await page.close();
		});
}
