import type { Command } from "commander";
import type { EngineReport, ProductRates } from "./engine-report.ts";
import type { BuildOnnxClassifier } from "./onnx-classifier.ts";
import type { StartWorker } from "./running-worker.ts";

/** The worker's functions that the coordinator calls without importing them; `tailtune.ts` passes them. */
export interface WorkerSide {
	readonly startWorker: StartWorker;
	readonly inspectEngines: () => Promise<EngineReport[]>;
	/** Measures for a few seconds. @returns nothing if ONNX Runtime isn't installed */
	readonly measureRates: (threads: number) => Promise<ProductRates[]>;
	/** Adds `tailtune worker` to the command line. */
	readonly addWorkerCommand: (program: Command) => Promise<void>;
	readonly buildOnnxClassifier: BuildOnnxClassifier;
}
