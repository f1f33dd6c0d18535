import { setTimeout as delay } from "node:timers/promises";
import type { TailSpec } from "../../shared/messages.ts";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import type { EngineInfo, EngineInfos, Engines } from "../../worker/engine/engine.ts";

const info: EngineInfo = { engine: "simulated", backend: "gpu", device: "timer", threads: 1, version: "1" };

/** Any small finite numbers: time and bytes don't depend on them. */
const FACTOR = 1e-3;

/** Describes the engines of `openTimedEngines`. */
export async function describeTimedEngines(): Promise<EngineInfos> {
	return { trunk: info, tail: info };
}

/** Opens engines that wait like a GPU instead of computing. @param gpuMs milliseconds for the gradient of 8 texts */
export function openTimedEngines({ config }: ModelFiles, { classes }: TailSpec, gpuMs: number): Engines {
	const dispose = async () => {};
	const logitsOf = ({ length }: readonly unknown[]) => new Float32Array(length * classes);
	return {
		trunk: {
			info,
			hiddenStates: async (texts) => texts.map(({ length }) => new Float32Array(length * config.n_embd)),
			dispose,
		},
		tail: {
			info,
			load: async () => {},
			logits: async (inputs) => logitsOf(inputs),
			async gradient(inputs, _form, gradient) {
				gradient.fill(FACTOR);
				await delay((gpuMs * inputs.length) / 8);
				return logitsOf(inputs);
			},
			dispose,
		},
	};
}
