import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { TailtuneError } from "../../../shared/errors.ts";
import type { EngineInfo, EngineOptions } from "../engine.ts";
import { describeNvidiaDevice, prepareCuda } from "../nvidia-device.ts";

/** What ONNX Runtime computes on instead of the processor, each on one system; it calls them execution providers. */
export const ONNX_PROVIDERS = ["cuda", "dml", "coreml"] as const;

export type OnnxProvider = (typeof ONNX_PROVIDERS)[number];

/** Where npm's package of onnxruntime-node 1.30 has which; for CUDA it needs a library more. */
const SYSTEMS: Record<OnnxProvider, readonly string[]> = {
	cuda: ["linux x64"],
	dml: ["win32 x64", "win32 arm64"],
	coreml: ["darwin arm64"],
};

/** What a provider that doesn't start may be in want of. */
export const NEEDS: Record<OnnxProvider, string> = {
	cuda: "an NVIDIA GPU, its driver, CUDA 12 and cuDNN 9 (ldd names libraries that are missing)",
	dml: "a GPU with DirectX 12",
	coreml: "macOS with Core ML",
};

/** A library that npm's package doesn't hold: install scripts are off. */
const CUDA_LIBRARY = "libonnxruntime_providers_cuda.so";
const HOW_TO_GET_IT =
	"node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12 fetches it; CUDA 12 and cuDNN 9 must be there too";

/** Whether a backend is one of the providers. */
export function isProvider(backend: EngineOptions["backend"]): backend is OnnxProvider {
	return ONNX_PROVIDERS.some((provider) => provider === backend);
}

/** The provider that was chosen; undefined: the processor. Names of other engines' backends aren't for this one. */
export function providerOf({ backend }: Pick<EngineOptions, "backend">): OnnxProvider | undefined {
	return isProvider(backend) ? backend : undefined;
}

/** The providers of this system. */
export function providersHere(): OnnxProvider[] {
	return ONNX_PROVIDERS.filter((provider) => SYSTEMS[provider].includes(system()));
}

/**
 * Readies the environment for a provider.
 * @throws TailtuneError "engine" where this system has no such provider, or where its library is missing, with how to get it
 */
export function prepareProvider(provider: OnnxProvider): void {
	if (!SYSTEMS[provider].includes(system())) {
		const expected = SYSTEMS[provider].join(" or ");
		throw new TailtuneError("engine", `onnx ${provider}: found ${system()}, expected ${expected}`);
	}
	if (provider !== "cuda") return;
	const library = join(packageFolder(), "bin", "napi-v6", "linux", "x64", CUDA_LIBRARY);
	if (!existsSync(library)) throw new TailtuneError("engine", `onnx cuda: found no ${library}: ${HOW_TO_GET_IT}`);
	prepareCuda();
}

/** The device behind a provider. Core ML decides itself whether a GPU computes. */
export function describeProvider(provider: OnnxProvider): Pick<EngineInfo, "device" | "isGpu"> {
	if (provider === "cuda") return { device: describeNvidiaDevice(), isGpu: true };
	return provider === "dml" ? { device: "DirectML's first GPU", isGpu: true } : { device: "Core ML" };
}

function system(): string {
	return `${process.platform} ${process.arch}`;
}

function packageFolder(): string {
	return dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"));
}
