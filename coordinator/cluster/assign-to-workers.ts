/** The id of the worker that holds each shard; undefined where nobody does. */
export type Holders = readonly (string | undefined)[];

/**
 * Deals the shards that nobody present holds, each to the worker that would be done with all of its own first. The others
 * stay where their features are warm; only a newcomer takes over just enough from the busiest.
 * @param speeds of each worker present, relative to each other
 */
export function dealShards(holders: Holders, speeds: ReadonlyMap<string, number>, newcomer?: string): Holders {
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

/** Shards by the id of the worker that holds them. */
export function shardsByWorker(holders: Holders): Map<string, number[]> {
	const shards = new Map<string, number[]>();
	for (const [shard, holder] of holders.entries()) {
		if (holder !== undefined) shards.set(holder, [...(shards.get(holder) ?? []), shard]);
	}
	return shards;
}

/** The first of those for which a figure is least. */
function least(workers: readonly string[], figureOf: (workerId: string) => number): string | undefined {
	let [best] = workers;
	for (const worker of workers) if (figureOf(worker) < figureOf(best as string)) best = worker;
	return best;
}
