import { describeWorker } from "../../shared/describe-worker.ts";
import type { DetailedEvent, WorkerActivity } from "../events/detailed-events.ts";
import type { DashboardState, WorkerView } from "./dashboard-state.ts";

/** Seconds of a lane. */
const LANE_SECONDS = 120;

/** Workers that are kept; those that are gone are dropped first. */
const MOST_WORKERS = 128;

const GONE = new Set(["left", "silent"]);

/** Returns the state with what each worker does now. */
export function withWorkers(
	state: DashboardState,
	{ seconds, workers }: Extract<DetailedEvent, { event: "workers-now" }>,
): DashboardState {
	const before = new Map(state.workers.map((worker) => [worker.id, worker]));
	const passed = seconds - (state.workersAt ?? seconds);
	const views = workers.map((activity) => viewOf(activity, before.get(activity.worker.workerId), passed));
	return { ...state, workers: keepMost(views), workersAt: seconds };
}

function viewOf(activity: WorkerActivity, before: WorkerView | undefined, passed: number): WorkerView {
	const { worker, ...figures } = activity;
	const computed = figures.computingSeconds - (before?.computingSeconds ?? 0);
	const mark = markOf(activity, passed > 0 ? computed / passed : 0);
	// The event loop may have been busy for several seconds.
	const seconds = Math.min(LANE_SECONDS, Math.max(1, Math.round(passed)));
	const lane = ((before?.lane ?? "") + mark.repeat(seconds)).slice(-LANE_SECONDS);
	return { id: worker.workerId, device: describeWorker(worker), ...figures, lane };
}

function markOf({ state }: WorkerActivity, share: number): string {
	if (state === "silent") return "s";
	if (state === "suspended") return "x";
	if (state === "left") return "l";
	return String(Math.round(9 * Math.min(1, Math.max(0, share))));
}

function keepMost(views: readonly WorkerView[]): readonly WorkerView[] {
	if (views.length <= MOST_WORKERS) return views;
	const present = views.filter(({ state }) => !GONE.has(state));
	const gone = views.filter(({ state }) => GONE.has(state));
	const room = Math.max(0, MOST_WORKERS - present.length);
	const kept = new Set([...present.slice(0, MOST_WORKERS), ...gone.slice(gone.length - room)]);
	return views.filter((view) => kept.has(view));
}
