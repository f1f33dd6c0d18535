import type { TrainConfig } from "../settings/config.ts";

/** The engine of a worker; `auto` chooses the best one that is installed. */
export interface EngineChoice {
	readonly engine: "auto" | "onnx" | "tfjs";
	readonly backend: TrainConfig["backend"];
	/** Compute threads. */
	readonly threads: number;
	/** Compute threads of the frozen blocks. Default: `threads`. Only ONNX Runtime can use another number. */
	readonly trunkThreads?: number | undefined;
	/** Whether to refuse to compute without a GPU. Default: false. */
	readonly requireGpu?: boolean;
}
