import type { Bus, RunView } from "../../shared/bus/bus.ts";
import { describeWorker } from "../../shared/describe-worker.ts";
import { TailtuneError } from "../../shared/errors.ts";
import type { WorkerInfo } from "../../shared/messages.ts";
import type { Notice } from "../../shared/notices.ts";
import { raceAbort } from "../../shared/race-abort.ts";
import { CLUSTER_ANSWER_MS, RUNS_WATCH_MS } from "../deadlines.ts";
import { shortNameOf } from "../format.ts";
import { ADVICE } from "./advice.ts";
import type { Problem } from "./dashboard-state.ts";
import { shareReads } from "./share-reads.ts";

/** A worker of the cluster, in one of its runs. */
interface LiveWorker {
	readonly id: string;
	/** Engine and processor, for people; null if it isn't registered any more. */
	readonly device: string | null;
	/** As its coordinator reports it; null if it reports nothing. */
	readonly state: string | null;
	readonly speed: number | null;
	readonly texts: number | null;
	readonly shards: readonly number[];
}

/** A run of the cluster. */
interface LiveRun {
	readonly id: string;
	/** The last report of its coordinator, with short names of model and data; null if there is none. */
	readonly progress: RunView["progress"] | null;
	readonly shards: number;
	readonly workers: readonly LiveWorker[];
}

/** Runs and workers of a cluster now. */
export interface ClusterListing {
	readonly runs: readonly LiveRun[];
	/** Workers without a run. */
	readonly idle: readonly Pick<LiveWorker, "id" | "device">[];
	readonly problems: readonly Problem[];
}

type Found = Omit<ClusterListing, "problems">;

/** Reads the runs and workers of a cluster for pages, at most once per second for all of them. */
export class LiveCluster {
	#bus: Pick<Bus, "listRuns" | "listWorkers" | "cancel"> | undefined;
	/** Problems of the connection, by their text. */
	readonly #problems = new Map<string, Problem>();
	readonly #readSometimes = shareReads(() => this.#read(), RUNS_WATCH_MS);

	/** Uses a connection from now on. */
	connect(bus: Pick<Bus, "listRuns" | "listWorkers" | "cancel">): void {
		this.#bus = bus;
	}

	/** Shows a problem of the connection, or its end. */
	report({ kind, state, text }: Notice): void {
		if (state === "over") this.#problems.delete(text);
		else this.#problems.set(text, { text, advice: ADVICE[kind] });
	}

	/** Lists the runs; none if the cluster doesn't answer, which is then one of the problems. */
	async list(): Promise<ClusterListing> {
		const problems = () => [...this.#problems.values()];
		try {
			return { ...(await this.#limitTime(this.#readSometimes())), problems: problems() };
		} catch (error) {
			if (!(error instanceof TailtuneError)) throw error;
			const unknown = { text: error.message, advice: "" };
			return { runs: [], idle: [], problems: this.#problems.size > 0 ? problems() : [unknown] };
		}
	}

	/**
	 * Asks the coordinator of a run to stop it.
	 * @throws TailtuneError "offline" if it doesn't answer, "not-found" if there is no such run
	 */
	async cancel(runId: string): Promise<void> {
		const bus = this.#connected;
		const runs = await this.#limitTime(bus.listRuns());
		if (!runs.some(({ spec }) => spec.runId === runId))
			throw new TailtuneError("not-found", `run ${JSON.stringify(runId)}: not found; it may have ended`);
		await this.#limitTime(bus.cancel(runId));
	}

	async #read(): Promise<Found> {
		const [views, workers] = await Promise.all([this.#connected.listRuns(), this.#connected.listWorkers()]);
		const byId = new Map(workers.map((worker) => [worker.workerId, worker]));
		const runs = views.map((view) => describeRun(view, byId));
		const busy = new Set(runs.flatMap((run) => run.workers.map(({ id }) => id)));
		const idle = workers.filter(({ workerId }) => !busy.has(workerId));
		return { runs, idle: idle.map((worker) => ({ id: worker.workerId, device: describeWorker(worker) })) };
	}

	get #connected() {
		if (this.#bus) return this.#bus;
		throw new TailtuneError("offline", "connecting to NATS");
	}

	async #limitTime<T>(promise: Promise<T>): Promise<T> {
		const late = AbortSignal.timeout(CLUSTER_ANSWER_MS);
		return raceAbort(promise, late).catch((error) => {
			if (!late.aborted) throw error;
			throw new TailtuneError("offline", "the cluster doesn't answer");
		});
	}
}

function describeRun({ spec, assignments, progress }: RunView, byId: ReadonlyMap<string, WorkerInfo>): LiveRun {
	const reported = new Map(progress?.workers.map((worker) => [worker.workerId, worker]));
	const ids = new Set([...reported.keys(), ...assignments.map(({ workerId }) => workerId).sort()]);
	const workers = [...ids].map((id): LiveWorker => {
		const { state = null, speed = null, texts = null } = reported.get(id) ?? {};
		const info = byId.get(id);
		const shards = assignments.filter(({ workerId }) => workerId === id).map(({ shard }) => shard);
		return { id, device: info ? describeWorker(info) : null, state, speed, texts, shards };
	});
	const names = progress && { model: shortNameOf(progress.model), data: shortNameOf(progress.data) };
	return { id: spec.runId, progress: progress ? { ...progress, ...names } : null, shards: spec.shards, workers };
}
