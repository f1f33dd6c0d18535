import type { EngineChoice, EngineReport, ProductRates } from "../../shared/worker-port.ts";
import { systemProviders } from "./onnx/provider.ts";
import { describeEngines } from "./open-engines.ts";
import { TFJS_BACKENDS } from "./tfjs/backend-names.ts";

/** How to come by what is missing. */
const HINTS: Record<string, string> = {
	onnx: "onnxruntime-node comes with npm ci for Linux, macOS and Windows on x64 and arm64",
	tensorflow: "optional; npm run native -- cpu (or gpu) brings it",
	webgpu: "optional, for any GPU; npm run native -- webgpu brings it",
	wasm: "@tensorflow/tfjs-backend-wasm comes with npm ci",
	cpu: "@tensorflow/tfjs comes with npm ci",
	cuda: "optional, for NVIDIA GPUs; npm's package comes without it",
	dml: "optional, for GPUs on Windows; onnxruntime-node comes with it by npm ci",
	coreml: "optional, for Apple's chips; onnxruntime-node comes with it by npm ci",
};

/** Tries every engine and backend: which can be used here, and for the others why not and how to get them. */
export async function inspectEngines(): Promise<EngineReport[]> {
	const reports = [await inspect("onnx", "cpu")];
	for (const provider of systemProviders()) reports.push(await inspect("onnx", provider));
	for (const backend of TFJS_BACKENDS) reports.push(await inspect("tfjs", backend));
	return reports;
}

/** `measureRates` of ONNX Runtime; nothing where that isn't there. */
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
