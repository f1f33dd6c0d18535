import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** Random numbers that depend only on the seed. */
export class Random {
	readonly #generator;

	constructor(seed: number) {
		this.#generator = xoroshiro128plus(seed);
	}

	/** Returns a whole number in [least, most]. */
	whole(least: number, most: number): number {
		return uniformInt(this.#generator, least, most);
	}

	chance(probability: number): boolean {
		return uniformFloat64(this.#generator) < probability;
	}

	oneOf<T>(choices: readonly T[]): T {
		return choices[this.whole(0, choices.length - 1)] as T;
	}

	/** Returns a waiting time: mostly short, sometimes up to `longestMs`. */
	wait(longestMs: number): number {
		return Math.ceil(longestMs * uniformFloat64(this.#generator) ** 4);
	}
}
