import { basename } from "node:path";
import type { TrainConfig } from "../../shared/settings/config.ts";
import type { DetailedEvent } from "../events/detailed-events.ts";
import type { RunEvent } from "../events/schemas.ts";
import { shortNameOf } from "../format.ts";
import { listSettings } from "../run-folder/list-settings.ts";
import type { MetricsLine } from "../run-folder/result.ts";
import { ADVICE, type Advice } from "./advice.ts";
import type { CurveName, DashboardState, PhaseView, RunHead } from "./dashboard-state.ts";
import { withSample } from "./speed.ts";
import { withPoint } from "./thin-curve.ts";
import { withWorkers } from "./worker-lanes.ts";

/** Phases, problems and warnings that are kept: the last ones. */
const MOST_PHASES = 30;
const MOST_NOTICES = 20;
const MOST_WARNINGS = 20;

/** Returns the state after an event. @param advice for each kind of problem; default: for workers on other machines */
export function reduceEvent(
	state: DashboardState,
	event: RunEvent | DetailedEvent,
	advice: Advice = ADVICE,
): DashboardState {
	switch (event.event) {
		case "run-started": {
			const started = { ...state, run: runHead(event.folder, event.config) };
			return event.metrics.reduce(withEvaluation, started);
		}
		case "phase":
		case "progress":
		case "phase-done":
		case "phase-failed":
			return { ...state, phases: withPhase(state.phases, event) };
		case "step":
		case "epoch":
			return withEvaluation(state, event);
		case "training-step":
			return withStep(state, event);
		case "workers-now":
			return withWorkers(withTraffic(state, event), event);
		case "notice":
			return { ...state, notices: withNotice(state.notices, event, advice) };
		case "warning":
			return { ...state, warnings: [...state.warnings, event.text].slice(-MOST_WARNINGS) };
		case "result": {
			const { event: _, folder: __, ...result } = event;
			return { ...state, end: { state: "finished", result }, notices: [] };
		}
		default:
			return state;
	}
}

/** Describes the settings of a run for people. */
export function runHead(folder: string, config: TrainConfig): RunHead {
	const settings = listSettings(config)
		.filter(({ isDefault }) => !isDefault)
		.map(({ flag, values }) => [flag, values.join(" ")] as const);
	const { name = basename(folder), model, data, train, epochs } = config;
	const names = { name, model: shortNameOf(model), data: shortNameOf(data ?? train ?? "") };
	return { folder, ...names, epochs, settings };
}

type PhaseEvent = Extract<RunEvent, { event: "phase" | "progress" | "phase-done" | "phase-failed" }>;

function withPhase(phases: readonly PhaseView[], event: PhaseEvent): PhaseView[] {
	const { name, unit, done, total } = event;
	const seconds = event.event === "phase" ? 0 : event.seconds;
	const secondsLeft = event.event === "progress" ? (event.secondsLeft ?? null) : null;
	const state = ({ "phase-done": "done", "phase-failed": "failed" } as const)[event.event as "phase-done"] ?? "running";
	const view = { name, unit, done, total, seconds, secondsLeft, state };
	const at = phases.findLastIndex((phase) => phase.name === name && phase.state === "running");
	if (event.event === "phase" || at === -1) return [...phases, view].slice(-MOST_PHASES);
	return phases.with(at, view);
}

function withEvaluation(state: DashboardState, line: MetricsLine): DashboardState {
	const curves: Record<CurveName, DashboardState["curves"][CurveName]> = { ...state.curves };
	for (const set of ["train", "validation"] as const)
		for (const measure of ["loss", "accuracy"] as const) {
			const name = `${set} ${line.kind} ${measure}` as const;
			curves[name] = withPoint(curves[name], [line.examplesSeen, line.seconds, line[set][measure]]);
		}
	if (line.kind === "step") return { ...state, curves };
	curves.epochs = withPoint(curves.epochs, [line.examplesSeen, line.seconds, line.epoch]);
	return { ...state, curves, epoch: line };
}

function withStep(state: DashboardState, event: Extract<DetailedEvent, { event: "training-step" }>): DashboardState {
	const { step, examplesSeen, seconds, loss } = event;
	const steps = withPoint(state.curves["steps loss"], [examplesSeen, seconds, loss]);
	const pace = withSample(state.pace, { seconds, figures: [step, examplesSeen] });
	return { ...state, curves: { ...state.curves, "steps loss": steps }, pace };
}

function withTraffic(state: DashboardState, event: Extract<DetailedEvent, { event: "workers-now" }>): DashboardState {
	const { bytes, seconds } = event;
	if (bytes === null) return state;
	return { ...state, traffic: withSample(state.traffic, { seconds, figures: [bytes] }) };
}

function withNotice(
	notices: DashboardState["notices"],
	{ kind, state, text }: Extract<RunEvent, { event: "notice" }>,
	advice: Advice,
): DashboardState["notices"] {
	const others = notices.filter((notice) => notice.text !== text);
	return state === "over" ? others : [...others, { text, advice: advice[kind] }].slice(-MOST_NOTICES);
}
