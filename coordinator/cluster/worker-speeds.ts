import type { WorkKind } from "../../shared/messages.ts";

/** What counts half as much as what comes now: so many answers later. */
const HALF_LIFE = 32;
const KEPT = 0.5 ** (1 / HALF_LIFE);

/** Work done, and the time it took. */
interface Tally {
	work: number;
	ms: number;
}

/**
 * How fast workers are, by their answers alone. Each is measured against all of them at the same kind of work, so that one
 * that came too late for the slow kinds isn't taken for a fast one.
 */
export class WorkerSpeeds {
	readonly #all = new Map<WorkKind, Tally>();
	readonly #workers = new Map<string, Map<WorkKind, Tally>>();

	/** @param work in any unit that is proportional to time within a kind, as tokens; at least 1 */
	add(workerId: string, kind: WorkKind, work: number, ms: number): void {
		const kinds = this.#workers.get(workerId) ?? new Map<WorkKind, Tally>();
		this.#workers.set(workerId, kinds);
		for (const tallies of [kinds, this.#all]) {
			const { work: before, ms: msBefore } = tallies.get(kind) ?? { work: 0, ms: 0 };
			tallies.set(kind, { work: before * KEPT + work, ms: msBefore * KEPT + ms });
		}
	}

	/** Relative to the average worker, 1, which is also what is taken of one that has not answered yet. */
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
