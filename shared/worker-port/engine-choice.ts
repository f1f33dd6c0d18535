import type { TrainConfig } from "../settings/config.ts";

/** The engine of a worker; `auto` chooses the best one that is installed. */
export interface EngineChoice {
	readonly engine: "auto" | "onnx" | "tfjs";
	readonly backend: TrainConfig["backend"];
	/** Compute threads. */
	readonly threads: number;
	/** Whether to refuse to compute without a GPU. Default: false. */
	readonly requireGpu?: boolean;
}
