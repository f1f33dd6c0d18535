/**
 * Chooses the shard for the next batch. A shard has at most one batch in flight; a worker with several shards receives
 * the next batch while it computes one.
 */
export class WorkerSlots {
	readonly #holders: () => readonly (string | undefined)[];
	readonly #taken = new Set<number>();

	/** @param holders id of the worker that each shard is assigned to now; undefined if there is none */
	constructor(holders: () => readonly (string | undefined)[]) {
		this.#holders = holders;
	}

	/** Number of workers with shards. */
	get workers(): number {
		return new Set(this.#holders().filter((holder) => holder !== undefined)).size;
	}

	/** Finds a free shard of the least busy worker; undefined if each worker has `maxInFlight` batches already. */
	find(maxInFlight: number): number | undefined {
		const holders = this.#holders();
		const loads = new Map<string | undefined, number>();
		for (const shard of this.#taken) loads.set(holders[shard], (loads.get(holders[shard]) ?? 0) + 1);
		let found: { readonly shard: number; readonly load: number } | undefined;
		for (const [shard, holder] of holders.entries()) {
			const load = loads.get(holder) ?? 0;
			if (!this.#taken.has(shard) && load < Math.min(maxInFlight, found?.load ?? maxInFlight)) found = { shard, load };
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
