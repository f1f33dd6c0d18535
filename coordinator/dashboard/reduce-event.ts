import { basename } from "node:path";
import type { TrainConfig } from "../../shared/settings/config.ts";
import { defaultConfig, flagOf } from "../../shared/settings/resolve-config.ts";
import type { DetailedEvent } from "../events/detailed-events.ts";
import type { RunEvent } from "../events/schemas.ts";
import type { MetricsLine } from "../run-folder/result.ts";
import { ADVICE } from "./advice.ts";
import type { CurveName, DashboardState, PhaseView, RunHead, SpeedSample } from "./dashboard-state.ts";
import { withPoint } from "./thin-curve.ts";
import { withWorkers } from "./worker-lanes.ts";

/** Phases, problems and warnings that are kept: the last ones. */
const MOST_PHASES = 30;
const MOST_NOTICES = 20;
const MOST_WARNINGS = 20;

/** Samples for the speed, and the least seconds between two of them: 15 seconds together. */
const MOST_SAMPLES = 30;
const SAMPLE_SECONDS = 0.5;

/** Returns the state after an event. */
export function reduceEvent(state: DashboardState, event: RunEvent | DetailedEvent): DashboardState {
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
			return withWorkers(state, event);
		case "notice":
			return { ...state, notices: withNotice(state.notices, event) };
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
	const defaults: Readonly<Record<string, unknown>> = defaultConfig();
	const settings = Object.entries(config)
		.filter(([key, value]) => value !== undefined && JSON.stringify(value) !== JSON.stringify(defaults[key]))
		.map(([key, value]) => [flagOf(key), String(value)] as const);
	const { model, data, train, epochs } = config;
	const names = { name: basename(folder), model: basename(model), data: basename(data ?? train ?? "") };
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
	return { ...state, curves, ...(line.kind === "epoch" && { epoch: line }) };
}

function withStep(state: DashboardState, event: Extract<DetailedEvent, { event: "training-step" }>): DashboardState {
	const { step, examplesSeen, seconds, loss } = event;
	const steps = withPoint(state.curves["steps loss"], [examplesSeen, seconds, loss]);
	const pace = withSample(state.pace, { seconds, figures: [step, examplesSeen] });
	return { ...state, curves: { ...state.curves, "steps loss": steps }, pace };
}

/** Adds a sample, or replaces the last one if it is as good as new. */
function withSample(samples: readonly SpeedSample[], sample: SpeedSample): SpeedSample[] {
	const before = samples.at(-2);
	const isFresh = before !== undefined && sample.seconds - before.seconds < SAMPLE_SECONDS;
	return [...(isFresh ? samples.slice(0, -1) : samples), sample].slice(-MOST_SAMPLES);
}

function withNotice(
	notices: DashboardState["notices"],
	{ kind, state, text }: Extract<RunEvent, { event: "notice" }>,
): DashboardState["notices"] {
	const others = notices.filter((notice) => notice.text !== text);
	return state === "over" ? others : [...others, { text, advice: ADVICE[kind] }].slice(-MOST_NOTICES);
}
