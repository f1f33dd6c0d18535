import type { WorkKind } from "../../shared/messages.ts";

/** Half-life of the moving average, in answers. */
const HALF_LIFE = 32;
const KEPT = 0.5 ** (1 / HALF_LIFE);

/** Moving sums of work and of the time that it took. */
interface Tally {
	work: number;
	ms: number;
}

/**
 * Estimates the speeds of workers from the times of their answers. A worker is compared with all workers at the same
 * kind of work, so a worker that joined after the slow kinds of work doesn't seem fast.
 */
export class WorkerSpeeds {
	readonly #all = new Map<WorkKind, Tally>();
	readonly #workers = new Map<string, Map<WorkKind, Tally>>();

	/** Adds an answer. @param work in any unit proportional to time within a kind, for example tokens; at least 1 */
	add(workerId: string, kind: WorkKind, work: number, ms: number): void {
		const kinds = this.#workers.get(workerId) ?? new Map<WorkKind, Tally>();
		this.#workers.set(workerId, kinds);
		for (const tallies of [kinds, this.#all]) {
			const { work: before, ms: msBefore } = tallies.get(kind) ?? { work: 0, ms: 0 };
			tallies.set(kind, { work: before * KEPT + work, ms: msBefore * KEPT + ms });
		}
	}

	/** Returns a worker's speed relative to the average, which is 1; also 1 if it has not answered yet. */
	of(workerId: string): number {
		let expectedMs = 0;
		let ms = 0;
		for (const [kind, tally] of this.#workers.get(workerId) ?? []) {
			const all = this.#all.get(kind) as Tally;
			expectedMs += (tally.work * all.ms) / all.work;
			ms += tally.ms;
		}
		return ms > 0 && expectedMs > 0 ? expectedMs / ms : 1;
	}
}
