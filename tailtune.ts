import { main } from "./coordinator/main.ts";
import type { WorkerSide } from "./shared/worker-port.ts";

/** What the coordinator needs of a worker in its process. This is the only place where both sides meet. */
const workerSide: WorkerSide = {
	addWorkerCommand: async (...args) => (await import("./worker/cli/worker-command.ts")).addWorkerCommand(...args),
	startWorker: async (...args) => (await import("./worker/run/lifecycle.ts")).startWorker(...args),
	buildOnnxClassifier: async (...args) =>
		(await import("./worker/engine/onnx/classifier-graph.ts")).buildClassifierGraph(...args),
	inspectEngines: async (...args) => (await import("./worker/engine/inspect-engines.ts")).inspectEngines(...args),
	measureRates: async (...args) => (await import("./worker/engine/inspect-engines.ts")).measureRates(...args),
};

/** The command line, with both sides: runs one command and sets the exit code. */
export function run(args: readonly string[]): Promise<void> {
	return main(args, workerSide);
}
