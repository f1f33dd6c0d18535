import { systemCodeOf, TailtuneError } from "../../shared/errors.ts";
import { askNvidiaSmi } from "./nvidia-device.ts";

/** An NVIDIA GPU of this machine. */
export interface NvidiaGpu {
	/** As nvidia-smi numbers them. */
	readonly index: number;
	/** What names it in CUDA_VISIBLE_DEVICES whatever the order. */
	readonly uuid: string;
}

/**
 * The GPUs that `--gpus` names, of those that CUDA_VISIBLE_DEVICES leaves to this process.
 * @param wanted "all", or numbers as in "0,2"
 * @throws TailtuneError "usage" for what isn't there or not to be seen, "not-found" without nvidia-smi, "engine" where it fails
 */
export function findNvidiaGpus(wanted: string, env: NodeJS.ProcessEnv = process.env): NvidiaGpu[] {
	const found = listGpus();
	const gpus = found.filter((gpu) => isVisible(gpu, env.CUDA_VISIBLE_DEVICES));
	const numbers = gpus.map(({ index }) => index).join(",") || "none";
	const hidden = gpus.length < found.length ? " in CUDA_VISIBLE_DEVICES" : "";
	if (wanted === "all" && gpus.length > 0) return gpus;
	const chosen = wanted.split(",").map((number) => gpus.find(({ index }) => String(index) === number.trim()));
	if (new Set(chosen).size < chosen.length || chosen.includes(undefined))
		throw new TailtuneError("usage", `--gpus: found "${wanted}", expected all, or numbers of ${numbers}${hidden}`);
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
		return askNvidiaSmi(["--query-gpu=index,uuid", "--format=csv,noheader"]);
	} catch (cause) {
		if (systemCodeOf(cause) === "ENOENT") {
			const expected = "expected it in PATH: it comes with NVIDIA's driver";
			throw new TailtuneError("not-found", `--gpus: found no nvidia-smi, ${expected}`, { cause });
		}
		const { stdout, stderr, message } = cause as Error & { stdout?: string; stderr?: string };
		const [reason] = (stdout?.trim() || stderr?.trim() || message).split("\n");
		throw new TailtuneError("engine", `--gpus: nvidia-smi: ${reason}, expected a list of GPUs`, { cause });
	}
}

/** As CUDA reads it: numbers, or beginnings of UUIDs; nothing at all hides every GPU. */
function isVisible({ index, uuid }: NvidiaGpu, visible: string | undefined): boolean {
	if (visible === undefined) return true;
	const names = visible.split(",").map((name) => name.trim());
	return names.some((name) => name === String(index) || (name.startsWith("GPU-") && uuid.startsWith(name)));
}
