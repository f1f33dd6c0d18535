import { TailtuneError } from "../../../../shared/errors.ts";
import type { TailSpec } from "../../../../shared/messages.ts";
import type { ModelFiles } from "../../../../shared/model/model-files.ts";
import type { EngineInfo, EngineInfos, Engines } from "../../../../worker/engine/engine.ts";

/** First targets of a batch's first text that make a fake tail fail instead of returning zeros. */
export const FAULTS = { refuses: 11, fails: 12, crashes: 13, exits: 14 } as const;

/** Makes a fake tail compute until it is stopped, see `computeUntilStopped`. */
export const COMPUTES_UNTIL_STOPPED = 4711;

const info: EngineInfo = { engine: "fake", backend: "none", device: "paper", threads: 1, version: "0" };

export async function describeEngines(): Promise<EngineInfos> {
	return { trunk: info, tail: info };
}

/** Opens engines that return zeros, and that fail on request, which real ones can't. */
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
				computeUntilStopped(parameters);
				await cause(inputs[0]?.targets[0]);
				return new Float32Array(inputs.length * classes);
			},
			async gradient(inputs, _form, gradient) {
				gradient.fill(0.5);
				return this.logits(inputs);
			},
		},
	};
}

/**
 * If the parameters, read as whole numbers, start with `COMPUTES_UNTIL_STOPPED`: sets the first one to 1 and computes
 * until the second one isn't 0.
 */
function computeUntilStopped({ buffer, byteOffset, length }: Float32Array): void {
	const flags = new Int32Array(buffer, byteOffset, length);
	if (flags[0] !== COMPUTES_UNTIL_STOPPED) return;
	Atomics.store(flags, 0, 1);
	while (Atomics.load(flags, 1) === 0);
}

async function cause(fault: number | undefined): Promise<void> {
	if (fault === FAULTS.refuses) throw new TailtuneError("data", "fake: refused");
	if (fault === FAULTS.fails) throw new RangeError("fake: failed");
	if (fault === FAULTS.exits) process.exit(3);
	if (fault !== FAULTS.crashes) return;
	setImmediate(() => {
		throw new Error("fake: crashed\nin two lines");
	});
	await new Promise(() => {});
}
