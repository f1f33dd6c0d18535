import { main } from "./coordinator/main.ts";
import type { WorkerSide } from "./shared/worker-port/worker-side.ts";

/** Functions of the worker that the coordinator may call. Only this file imports both sides. */
const workerSide: WorkerSide = {
	addWorkerCommand: async (...args) => (await import("./worker/cli/worker-command.ts")).addWorkerCommand(...args),
	startWorker: async (...args) => (await import("./worker/run/lifecycle.ts")).startWorker(...args),
	buildOnnxClassifier: async (...args) =>
		(await import("./worker/engine/onnx/classifier-graph.ts")).buildClassifierGraph(...args),
	inspectEngines: async (...args) => (await import("./worker/engine/inspect-engines.ts")).inspectEngines(...args),
	measureRates: async (...args) => (await import("./worker/engine/inspect-engines.ts")).measureRates(...args),
};

/** Runs one command and sets the exit code. */
export function run(args: readonly string[]): Promise<void> {
	return main(args, workerSide);
}
