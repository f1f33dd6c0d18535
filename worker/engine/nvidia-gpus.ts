import { systemCodeOf, TailtuneError } from "../../shared/errors.ts";
import { runNvidiaSmi } from "./nvidia-device.ts";

/** An NVIDIA GPU of this machine. */
export interface NvidiaGpu {
	/** Number in nvidia-smi. */
	readonly index: number;
	/** Names the GPU in CUDA_VISIBLE_DEVICES independently of the order. */
	readonly uuid: string;
}

/**
 * Finds the GPUs given with `--gpus`, among those that CUDA_VISIBLE_DEVICES allows this process to use.
 * @param wanted "all", or numbers such as "0,2"
 * @throws TailtuneError "usage" if a GPU doesn't exist or isn't allowed, "not-found" if there is no nvidia-smi,
 * "engine" if nvidia-smi fails
 */
export function findNvidiaGpus(wanted: string, env: NodeJS.ProcessEnv = process.env): NvidiaGpu[] {
	const found = listGpus();
	const gpus = found.filter((gpu) => isVisible(gpu, env.CUDA_VISIBLE_DEVICES));
	const numbers = gpus.map(({ index }) => index).join(",") || "none";
	const limit = gpus.length < found.length ? " (limited by CUDA_VISIBLE_DEVICES)" : "";
	if (wanted === "all" && gpus.length > 0) return gpus;
	const chosen = wanted.split(",").map((number) => gpus.find(({ index }) => String(index) === number.trim()));
	if (new Set(chosen).size < chosen.length || chosen.includes(undefined))
		throw new TailtuneError(
			"usage",
			`--gpus: found "${wanted}", expected all or some of these GPUs: ${numbers}${limit}`,
		);
	return chosen as NvidiaGpu[];
}

function listGpus(): NvidiaGpu[] {
	const lines = query().trim().split("\n");
	return lines.filter(Boolean).map((line) => {
		const [index, uuid = ""] = line.split(/,\s*/);
		return { index: Number(index), uuid };
	});
}

function query(): string {
	try {
		return runNvidiaSmi(["--query-gpu=index,uuid", "--format=csv,noheader"]);
	} catch (cause) {
		if (systemCodeOf(cause) === "ENOENT") {
			const expected = "expected it in PATH: it is part of NVIDIA's driver";
			throw new TailtuneError("not-found", `--gpus: found no nvidia-smi, ${expected}`, { cause });
		}
		const { stdout, stderr, message } = cause as Error & { stdout?: string; stderr?: string };
		const [reason] = (stdout?.trim() || stderr?.trim() || message).split("\n");
		throw new TailtuneError("engine", `--gpus: nvidia-smi: ${reason}, expected a list of GPUs`, { cause });
	}
}

/** Reads CUDA_VISIBLE_DEVICES as CUDA does: numbers or prefixes of UUIDs. An empty value hides every GPU. */
function isVisible({ index, uuid }: NvidiaGpu, visible: string | undefined): boolean {
	if (visible === undefined) return true;
	const names = visible.split(",").map((name) => name.trim());
	return names.some((name) => name === String(index) || (name.startsWith("GPU-") && uuid.startsWith(name)));
}
