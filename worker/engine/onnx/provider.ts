import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { TailtuneError } from "../../../shared/errors.ts";
import type { EngineInfo, EngineOptions } from "../engine.ts";
import { describeNvidiaDevice, prepareCuda } from "../nvidia-device.ts";

/** ONNX Runtime's execution providers: devices that it can compute on instead of the CPU. Each exists on one system. */
export const ONNX_PROVIDERS = ["cuda", "dml", "coreml"] as const;

export type OnnxProvider = (typeof ONNX_PROVIDERS)[number];

/**
 * The systems for which the npm package onnxruntime-node 1.30 has each provider; for CUDA it needs one more library.
 */
const SYSTEMS: Record<OnnxProvider, readonly string[]> = {
	cuda: ["linux x64"],
	dml: ["win32 x64", "win32 arm64"],
	coreml: ["darwin arm64"],
};

/** Requirements of each provider, for the error if it doesn't start. */
export const PROVIDER_REQUIREMENTS: Record<OnnxProvider, string> = {
	cuda: "an NVIDIA GPU, its driver, CUDA 12 and cuDNN 9 (ldd lists missing libraries)",
	dml: "a GPU with DirectX 12",
	coreml: "macOS with Core ML",
};

/** A library that is not in the npm package; its install script, which is disabled, would download it. */
const CUDA_LIBRARY = "libonnxruntime_providers_cuda.so";
const CUDA_INSTALL_COMMAND =
	"node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12; it also needs CUDA 12 and cuDNN 9";

/** Returns whether a backend is one of the providers. */
export function isProvider(backend: EngineOptions["backend"]): backend is OnnxProvider {
	return ONNX_PROVIDERS.some((provider) => provider === backend);
}

/** Returns the chosen provider; undefined means the CPU. Backends of other engines are ignored. */
export function providerOf({ backend }: Pick<EngineOptions, "backend">): OnnxProvider | undefined {
	return isProvider(backend) ? backend : undefined;
}

/** Returns the providers of this system. */
export function systemProviders(): OnnxProvider[] {
	return ONNX_PROVIDERS.filter((provider) => SYSTEMS[provider].includes(system()));
}

/**
 * Prepares the environment for a provider.
 * @throws TailtuneError "engine" if this system has no such provider, or if its library is missing, with the install
 * command
 */
export function prepareProvider(provider: OnnxProvider): void {
	if (!SYSTEMS[provider].includes(system())) {
		const expected = SYSTEMS[provider].join(" or ");
		throw new TailtuneError("engine", `onnx ${provider}: found ${system()}, expected ${expected}`);
	}
	if (provider !== "cuda") return;
	const library = join(packageFolder(), "bin", "napi-v6", "linux", "x64", CUDA_LIBRARY);
	if (!existsSync(library))
		throw new TailtuneError("engine", `onnx cuda: found no ${library}, install it with: ${CUDA_INSTALL_COMMAND}`);
	prepareCuda();
}

/** Describes the device of a provider. Core ML itself decides whether to use a GPU. */
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
