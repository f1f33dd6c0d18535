type Assign = (shard: number, workerId: string) => Promise<void>;

/**
 * Which worker holds which logical shard. A shard stays where its features are warm; only the shards of a worker that
 * left move, and a newcomer takes over just enough to even out the numbers.
 */
export class ShardMap {
	readonly #assign: Assign;
	readonly #holders: (string | undefined)[];
	readonly #workers = new Set<string>();

	constructor(shards: number, assign: Assign) {
		this.#assign = assign;
		this.#holders = Array.from({ length: shards });
	}

	/** Worker by shard; undefined while nobody is there. */
	get holders(): readonly (string | undefined)[] {
		return this.#holders;
	}

	/** Shards by the id of the worker that holds them. */
	get byWorker(): Map<string, number[]> {
		const shards = new Map<string, number[]>();
		for (const [shard, holder] of this.#holders.entries()) {
			if (holder !== undefined) shards.set(holder, [...(shards.get(holder) ?? []), shard]);
		}
		return shards;
	}

	async join(workerId: string): Promise<void> {
		this.#workers.add(workerId);
		await this.#placeOrphans();
		for (;;) {
			const busiest = this.#byLoad().at(-1);
			if (!busiest || this.#loadOf(busiest) - this.#loadOf(workerId) < 2) return;
			await this.#give(this.#holders.lastIndexOf(busiest), workerId);
		}
	}

	async leave(workerId: string): Promise<void> {
		this.#workers.delete(workerId);
		this.#holders.forEach((holder, shard) => {
			if (holder === workerId) this.#holders[shard] = undefined;
		});
		await this.#placeOrphans();
	}

	async #placeOrphans(): Promise<void> {
		for (const [shard, holder] of this.#holders.entries()) {
			const idlest = this.#byLoad()[0];
			if (holder === undefined && idlest) await this.#give(shard, idlest);
		}
	}

	async #give(shard: number, workerId: string): Promise<void> {
		this.#holders[shard] = workerId;
		await this.#assign(shard, workerId);
	}

	#loadOf(workerId: string): number {
		return this.#holders.filter((holder) => holder === workerId).length;
	}

	#byLoad(): string[] {
		return [...this.#workers].sort((a, b) => this.#loadOf(a) - this.#loadOf(b) || (a < b ? -1 : 1));
	}
}
