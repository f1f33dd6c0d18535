import { readFile, writeFile } from "node:fs/promises";
import fc from "fast-check";

/**
 * Flips single bits of a file, one at a time, and reads it each time.
 * @param read reads the file; expected to fail
 * @param check called with "NAME: message" of the error, or with a sentence that says that the bit wasn't found
 * @param examples places of bits that are tried in any case
 */
export async function flipBits(
	path: string,
	read: () => Promise<unknown>,
	check: (outcome: string) => void,
	{ numRuns, examples = () => [] }: { numRuns: number; examples?: (bits: number) => [number][] },
): Promise<void> {
	const whole = await readFile(path);
	const bits = whole.length * 8;
	await fc.assert(
		fc.asyncProperty(fc.integer({ min: 0, max: bits - 1 }), async (place) => {
			const damaged = Buffer.from(whole);
			damaged[place >> 3] = (damaged[place >> 3] as number) ^ (1 << (place & 7));
			await writeFile(path, damaged);
			const outcome = await read().then(
				() => `bit ${place} isn't found`,
				({ name, message }) => `${name}: ${message}`,
			);
			check(outcome);
		}),
		{ numRuns, examples: examples(bits) },
	);
}
