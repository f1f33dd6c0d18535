/**
 * Which shard the next batch is sent to. Each has one batch at most; a worker that holds several has the next batch at
 * hand while it computes one.
 */
export class Lanes {
	readonly #holders: () => readonly (string | undefined)[];
	readonly #taken = new Set<number>();

	/** @param holders id of the worker that holds each shard now; undefined where nobody is there */
	constructor(holders: () => readonly (string | undefined)[]) {
		this.#holders = holders;
	}

	/** Workers that are there. */
	get workers(): number {
		return new Set(this.#holders().filter((holder) => holder !== undefined)).size;
	}

	/** A free shard of the least busy worker; undefined where each of them has `depth` batches already. */
	find(depth: number): number | undefined {
		const holders = this.#holders();
		const loads = new Map<string | undefined, number>();
		for (const shard of this.#taken) loads.set(holders[shard], (loads.get(holders[shard]) ?? 0) + 1);
		let found: { readonly shard: number; readonly load: number } | undefined;
		for (const [shard, holder] of holders.entries()) {
			const load = loads.get(holder) ?? 0;
			if (!this.#taken.has(shard) && load < Math.min(depth, found?.load ?? depth)) found = { shard, load };
		}
		return found?.shard;
	}

	take(shard: number): void {
		this.#taken.add(shard);
	}

	free(shard: number): void {
		this.#taken.delete(shard);
	}
}
