import type { EngineChoice } from "../../shared/worker-port/engine-choice.ts";
import type { EngineReport, ProductRates } from "../../shared/worker-port/engine-report.ts";
import { systemProviders } from "./onnx/provider.ts";
import { describeEngines } from "./open-engines.ts";
import { TFJS_BACKENDS } from "./tfjs/backend-names.ts";

/** How to install each engine or backend. */
const HINTS: Record<string, string> = {
	onnx: "npm ci installs onnxruntime-node on Linux, macOS and Windows, x64 and arm64",
	tensorflow: "optional; install it with npm run native -- cpu (or gpu)",
	webgpu: "optional, for any GPU; install it with npm run native -- webgpu",
	wasm: "npm ci installs @tensorflow/tfjs-backend-wasm",
	cpu: "npm ci installs @tensorflow/tfjs",
	cuda: "optional, for NVIDIA GPUs; not part of the npm package",
	dml: "optional, for GPUs on Windows; npm ci installs it with onnxruntime-node",
	coreml: "optional, for Apple's chips; npm ci installs it with onnxruntime-node",
};

/**
 * Tries every engine and backend and reports which can be used here; for the others, why not and how to install them.
 */
export async function inspectEngines(): Promise<EngineReport[]> {
	const reports = [await inspect("onnx", "cpu")];
	for (const provider of systemProviders()) reports.push(await inspect("onnx", provider));
	for (const backend of TFJS_BACKENDS) reports.push(await inspect("tfjs", backend));
	return reports;
}

/** Measures the rates of ONNX Runtime with `measureOnnxRates`; returns an empty list if it can't be used. */
export async function measureRates(threads: number): Promise<ProductRates[]> {
	const { usable } = await inspect("onnx", "cpu");
	return usable ? (await import("./onnx/measure-rates.ts")).measureOnnxRates(threads) : [];
}

async function inspect(engine: "onnx" | "tfjs", backend: EngineChoice["backend"]): Promise<EngineReport> {
	try {
		const { trunk } = await describeEngines({ engine, backend, threads: 1 });
		return { engine, backend, usable: true, detail: trunk.version };
	} catch (error) {
		const hint = HINTS[engine === "onnx" && backend === "cpu" ? engine : backend];
		return { engine, backend, usable: false, detail: `${(error as Error).message} (${hint})` };
	}
}
