import { TailtuneError } from "../../../../shared/errors.ts";
import type { TailSpec } from "../../../../shared/messages.ts";
import type { ModelFiles } from "../../../../shared/model/model-files.ts";
import type { EngineInfo } from "../../../../worker/engine/engine.ts";
import type { Engines } from "../../../../worker/engine/open-engines.ts";
import type { EngineInfos } from "../../../../worker/engine/thread/calls.ts";

/** Labels of a batch's first text that make a fake tail do something else than answer zeros. */
export const FAULTS = { refuses: 11, fails: 12, crashes: 13, exits: 14 } as const;

const info: EngineInfo = { engine: "fake", backend: "none", device: "paper", threads: 1, version: "0" };

export async function describeEngines(): Promise<EngineInfos> {
	return { trunk: info, tail: info };
}

/** Engines of zeros, for what the real ones can't be made to do. */
export async function openEngines(model: ModelFiles, { classes }: TailSpec): Promise<Engines> {
	const width = model.config.n_embd;
	let parameters: Float32Array = new Float32Array(0);
	const dispose = async () => {};
	return {
		trunk: {
			info,
			dispose,
			hiddenStates: async (texts) => texts.map(({ length }) => new Float32Array(length * width)),
		},
		tail: {
			info,
			dispose,
			async load(given) {
				parameters = given;
			},
			async logits(inputs) {
				computeUntilTold(parameters);
				await have(inputs[0]?.label);
				return new Float32Array(inputs.length * classes);
			},
			async gradient(inputs, gradient) {
				gradient.fill(0.5);
				return this.logits(inputs);
			},
		},
	};
}

/** Says that it computes in the first number of shared parameters, and does so until the second one is set. */
function computeUntilTold(parameters: Float32Array): void {
	if (!(parameters.buffer instanceof SharedArrayBuffer)) return;
	const flags = new Int32Array(parameters.buffer);
	Atomics.store(flags, 0, 1);
	Atomics.wait(flags, 1, 0);
}

async function have(fault: number | undefined): Promise<void> {
	if (fault === FAULTS.refuses) throw new TailtuneError("data", "fake: refused");
	if (fault === FAULTS.fails) throw new RangeError("fake: failed");
	if (fault === FAULTS.exits) process.exit(3);
	if (fault !== FAULTS.crashes) return;
	setImmediate(() => {
		throw new Error("fake: crashed\nin two lines");
	});
	await new Promise(() => {});
}
