import os from "node:os";
import { TailtuneError } from "../../shared/errors.ts";

/**
 * Refuses a machine on which Tailtune would compute with wrong numbers: model files, checkpoints and messages hold
 * little-endian numbers, which are used as they lie in memory.
 * @throws TailtuneError "engine"
 */
export function checkMachine(): void {
	if (os.endianness() === "LE") return;
	throw new TailtuneError("engine", `${os.arch()}: found a big-endian processor, expected a little-endian one`);
}
