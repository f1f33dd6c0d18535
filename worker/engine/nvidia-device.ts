import { execFileSync } from "node:child_process";
import { NVIDIA_SMI_MS } from "../deadlines.ts";

/**
 * The NVIDIA GPU that a process computes on, the first of those in CUDA_VISIBLE_DEVICES, in the words of the driver's
 * `nvidia-smi`: name, memory, versions of the driver and of the newest CUDA that it knows. "GPU" where that program isn't there.
 */
export function describeNvidiaDevice(): string {
	const [index = "0"] = (process.env.CUDA_VISIBLE_DEVICES || "0").split(",");
	try {
		const query = ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits", `--id=${index}`];
		const [name = "GPU", mebibytes, driver] = askNvidiaSmi(query).trim().split(/,\s*/);
		const cuda = /CUDA Version\s*: *([\d.]+)/.exec(askNvidiaSmi([]))?.[1];
		return `${name}, ${(Number(mebibytes) / 1024).toFixed(1)} GiB, driver ${driver}, CUDA ${cuda ?? "unknown"}`;
	} catch {
		return "GPU";
	}
}

/** Readies the environment for CUDA, whichever library loads it; what is set already stays. */
export function prepareCuda(): void {
	// As nvidia-smi numbers GPUs.
	process.env.CUDA_DEVICE_ORDER ??= "PCI_BUS_ID";
	// Else newer GPUs round what products take to 10 bits.
	process.env.NVIDIA_TF32_OVERRIDE ??= "0";
}

/** What nvidia-smi answers. Throws what `execFileSync` does. */
export function askNvidiaSmi(args: readonly string[]): string {
	return execFileSync("nvidia-smi", args, {
		encoding: "utf8",
		stdio: ["ignore", "pipe", "pipe"],
		timeout: NVIDIA_SMI_MS,
	});
}
