import os from "node:os";
import { TailtuneError } from "../../shared/errors.ts";

const TESTED = "linux x64";

/**
 * Refuses big-endian processors: numbers in model files, checkpoints and messages are little-endian and are used
 * without a conversion, so results would be wrong.
 * @throws TailtuneError "engine" on a big-endian processor
 */
export function checkMachine(): void {
	if (os.endianness() === "LE") return;
	throw new TailtuneError("engine", `${os.arch()}: found a big-endian processor, expected a little-endian one`);
}

/** The platform, and whether Tailtune's tests run on it. */
export function describePlatform(platform: string = process.platform, arch: string = process.arch): string {
	const own = `${platform} ${arch}`;
	return own === TESTED ? own : `${own} (not tested: the tests run on ${TESTED})`;
}
