import type { WorkerInfo } from "../../shared/messages.ts";
import type { WorkerActivity, WorkerState } from "../events/detailed-events.ts";
import { type Holders, shardsByWorker } from "./assign-to-workers.ts";
import type { LeaveReason, WorkersChange } from "./run-workers.ts";

/** Work of one worker so far. */
interface Tally {
	computingMs: number;
	answers: number;
	texts: number;
	trunkTexts: number;
	/** Why it has no shards; undefined if it may have some. */
	reason: LeaveReason | undefined;
}

/** An accepted answer. */
export interface CountedAnswer {
	readonly computingMs: number;
	readonly texts: number;
	readonly trunkTexts: number;
}

/** The state of a run's workers. */
export interface WorkersNow {
	/** All workers that have taken part. */
	readonly workers: ReadonlyMap<string, WorkerInfo>;
	/** Ids of the workers present, suspended or not. */
	readonly present: ReadonlySet<string>;
	readonly holders: Holders;
	readonly speedOf: (workerId: string) => number;
	/** Milliseconds that each worker has had its current item; without those that have none. */
	readonly currentMs: ReadonlyMap<string, number>;
}

/** Counts the work of each worker, for people. */
export class WorkerTallies {
	readonly #tallies = new Map<string, Tally>();

	/** Records that a worker joined, left or was suspended. */
	recordChange(change: WorkersChange): void {
		this.#of(change.worker.workerId).reason = change.type === "left" ? change.reason : undefined;
	}

	/** Records an accepted answer. */
	recordAnswer(workerId: string, { computingMs, texts, trunkTexts }: CountedAnswer): void {
		const tally = this.#of(workerId);
		tally.computingMs += computingMs;
		tally.answers++;
		tally.texts += texts;
		tally.trunkTexts += trunkTexts;
	}

	/** Lists the state of each worker now, and its work so far, in the order in which they joined. */
	list({ workers, present, holders, speedOf, currentMs }: WorkersNow): WorkerActivity[] {
		const shards = shardsByWorker(holders);
		return [...workers].map(([workerId, worker]) => {
			const { reason, computingMs, answers, texts, trunkTexts } = this.#of(workerId);
			const isPresent = present.has(workerId);
			const current = isPresent ? currentMs.get(workerId) : undefined;
			return {
				worker,
				state: stateOf(isPresent, reason, current !== undefined),
				shards: shards.get(workerId) ?? [],
				speed: speedOf(workerId),
				computingSeconds: (computingMs + (current ?? 0)) / 1000,
				...{ answers, texts, trunkTexts },
			};
		});
	}

	#of(workerId: string): Tally {
		const found = this.#tallies.get(workerId);
		if (found) return found;
		const tally: Tally = { computingMs: 0, answers: 0, texts: 0, trunkTexts: 0, reason: undefined };
		this.#tallies.set(workerId, tally);
		return tally;
	}
}

function stateOf(isPresent: boolean, reason: LeaveReason | undefined, hasItem: boolean): WorkerState {
	if (reason === "disconnected" || reason === "no-heartbeat") return "silent";
	if (!isPresent) return "left";
	if (reason === "failing" || reason === "idle") return "suspended";
	return hasItem ? "computing" : "waiting";
}
