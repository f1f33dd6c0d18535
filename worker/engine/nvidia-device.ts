import { execFileSync } from "node:child_process";
import { NVIDIA_SMI_MS } from "../deadlines.ts";

/**
 * Describes the NVIDIA GPU that this process computes on, the first one in CUDA_VISIBLE_DEVICES, with data from
 * `nvidia-smi`: name, memory, driver version and the newest CUDA version of the driver. Returns "GPU" if `nvidia-smi`
 * isn't installed.
 */
export function describeNvidiaDevice(): string {
	const [index = "0"] = (process.env.CUDA_VISIBLE_DEVICES || "0").split(",");
	try {
		const query = ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits", `--id=${index}`];
		const [name = "GPU", mebibytes, driver] = runNvidiaSmi(query).trim().split(/,\s*/);
		const cuda = /CUDA Version\s*: *([\d.]+)/.exec(runNvidiaSmi([]))?.[1];
		return `${name}, ${(Number(mebibytes) / 1024).toFixed(1)} GiB, driver ${driver}, CUDA ${cuda ?? "unknown"}`;
	} catch {
		return "GPU";
	}
}

/**
 * Sets environment variables for CUDA, for all libraries that load it. Variables that are set already stay unchanged.
 */
export function prepareCuda(): void {
	// Numbers GPUs in the same order as nvidia-smi.
	process.env.CUDA_DEVICE_ORDER ??= "PCI_BUS_ID";
	// Otherwise newer GPUs round the factors of products to 10 bits.
	process.env.NVIDIA_TF32_OVERRIDE ??= "0";
}

/** Runs nvidia-smi and returns its output. Throws the errors of `execFileSync`. */
export function runNvidiaSmi(args: readonly string[]): string {
	return execFileSync("nvidia-smi", args, {
		encoding: "utf8",
		stdio: ["ignore", "pipe", "pipe"],
		timeout: NVIDIA_SMI_MS,
	});
}
