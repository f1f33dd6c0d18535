import { createHash } from "node:crypto";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/**
 * Returns the items in random order (Fisher-Yates), the same on every platform.
 * @param stream name of the use, for example "split" or "epoch 3": two uses of one seed get different random numbers
 */
export function seededShuffle<Item>(items: Iterable<Item>, seed: number, stream: string): Item[] {
	const random = xoroshiro128plus(createHash("sha256").update(`${seed} ${stream}`).digest().readInt32LE());
	const shuffled = [...items];
	for (let last = shuffled.length - 1; last > 0; last--) {
		const other = uniformInt(random, 0, last);
		const item = shuffled[last] as Item;
		shuffled[last] = shuffled[other] as Item;
		shuffled[other] = item;
	}
	return shuffled;
}
