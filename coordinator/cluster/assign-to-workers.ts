/** For each shard, the id of its worker; undefined if it has none. */
export type Holders = readonly (string | undefined)[];

/**
 * Assigns each shard without a present worker to the worker that would then finish all its shards first. Other shards
 * keep their worker, which has their features in memory. Only a newcomer takes shards, just enough, from the busiest
 * workers.
 * @param speeds of the workers present, relative to each other
 */
export function assignToWorkers(holders: Holders, speeds: ReadonlyMap<string, number>, newcomer?: string): Holders {
	const dealt = holders.map((holder) => (holder !== undefined && speeds.has(holder) ? holder : undefined));
	const workers = [...speeds.keys()].sort();
	const secondsOf = (workerId: string, more = 0) =>
		(dealt.filter((holder) => holder === workerId).length + more) / (speeds.get(workerId) as number);
	for (const [shard, holder] of dealt.entries()) {
		if (holder === undefined) dealt[shard] = least(workers, (workerId) => secondsOf(workerId, 1));
	}
	if (newcomer === undefined) return dealt;
	for (;;) {
		const busiest = least(workers, (workerId) => -secondsOf(workerId)) as string;
		if (secondsOf(newcomer, 1) >= secondsOf(busiest)) return dealt;
		dealt[dealt.lastIndexOf(busiest)] = newcomer;
	}
}

/** Returns the shards of each worker, by the worker's id. */
export function shardsByWorker(holders: Holders): Map<string, number[]> {
	const shards = new Map<string, number[]>();
	for (const [shard, holder] of holders.entries()) {
		if (holder !== undefined) shards.set(holder, [...(shards.get(holder) ?? []), shard]);
	}
	return shards;
}

/** Returns the first worker for which the figure is least. */
function least(workers: readonly string[], figureOf: (workerId: string) => number): string | undefined {
	let [best] = workers;
	for (const worker of workers) if (figureOf(worker) < figureOf(best as string)) best = worker;
	return best;
}
