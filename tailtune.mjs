#!/usr/bin/env node
// The command, and the only place where both sides meet: it hands the coordinator a way to start a worker in this process.
import "./shared/load-typescript.mjs";

const { main } = await import("./coordinator/main.ts");
await main(process.argv.slice(2), {
	addWorkerCommand: async (...args) => (await import("./worker/cli/worker-command.ts")).addWorkerCommand(...args),
	startWorker: async (...args) => (await import("./worker/run/lifecycle.ts")).startWorker(...args),
	buildOnnxClassifier: async (...args) =>
		(await import("./worker/engine/onnx/classifier-graph.ts")).buildClassifierGraph(...args),
	inspectEngines: async (...args) => (await import("./worker/engine/inspect-engines.ts")).inspectEngines(...args),
	measureRates: async (...args) => (await import("./worker/engine/inspect-engines.ts")).measureRates(...args),
});
