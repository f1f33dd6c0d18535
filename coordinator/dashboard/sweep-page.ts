import { join, relative } from "node:path";
import type { Hono, MiddlewareHandler } from "hono";
import { TailtuneError } from "../../shared/errors.ts";
import type { SweepState, TrialResult } from "../events/sweep-schema.ts";
import { hasEnded } from "../events/sweep-settings.ts";
import { formatCount, formatEta, shellWord } from "../format.ts";
import type { Metric } from "../metrics/best-score.ts";
import { type Html, html } from "../report/html.ts";
import { leadOf, sweepSections, titleOf } from "../report/render-sweep-report.ts";
import { readSweepCurves } from "../report/write-sweep-report.ts";
import { fingerprintFiles } from "../run-folder/fingerprint-run.ts";
import { findLocalRuns } from "../run-folder/list-runs.ts";
import { METRICS_FILE } from "../run-folder/result-files.ts";
import { isInUse } from "../run-folder/run-lock.ts";
import { estimateSecondsLeft } from "../sweep/estimate-seconds-left.ts";
import { findSweeps } from "../sweep/find-sweeps.ts";
import { readSweep, SWEEP_FILE } from "../sweep/sweep-folder.ts";
import type { PageEnv } from "./page-app.ts";

/** A sweep now. */
interface SweepNow {
	readonly path: string;
	readonly state: SweepState;
	/** Folders of the trials that are trained now. */
	readonly running: readonly string[];
	/** Whether a process uses the folder of the sweep. */
	readonly isUsed: boolean;
	/** A text that changes when the page may have changed. */
	readonly fingerprint: string;
}

/** A sweep as markup, made by the code of its report. */
interface ShownSweep {
	readonly title: string;
	readonly html: string;
	readonly isFinished: boolean;
}

/**
 * Adds `GET /sweep?sweep=NAME`: the ranking, curves and trials of a sweep now.
 * @param folder with sweeps, or of one sweep
 */
export function addSweepPage(app: Hono<PageEnv>, isAllowed: MiddlewareHandler, folder: string): void {
	// The last one is kept, so that many pages cost as much as one.
	let last: { readonly fingerprint: string; readonly shown: ShownSweep } | undefined;
	app.get("/sweep", isAllowed, async (context) => {
		const { sweep: name = "" } = context.req.query();
		const path = (await findSweeps(folder)).get(name);
		if (path === undefined)
			throw new TailtuneError("not-found", `sweep ${JSON.stringify(name)}: not found in ${folder}`);
		const sweep = await readSweepNow(path);
		const { fingerprint } = sweep;
		if (last?.fingerprint !== fingerprint) last = { fingerprint, shown: await renderSweep(sweep, folder) };
		return context.json(last.shown);
	});
}

async function readSweepNow(path: string): Promise<SweepNow> {
	// Before the file is read: if it is replaced meanwhile, the next fingerprint differs.
	const before = await fingerprintFiles([join(path, SWEEP_FILE)]);
	const state = await readSweep(path);
	const running = state.trials
		.filter((trial) => !hasEnded(trial) && isInUse(join(path, trial.folder)))
		.map(({ folder }) => folder);
	const isUsed = isInUse(path);
	const metrics = await fingerprintFiles(running.map((trial) => join(path, trial, METRICS_FILE)));
	return { path, state, running, isUsed, fingerprint: [path, before, ...running, isUsed, metrics].join() };
}

/** @param folder with sweeps, or of one sweep; the runs in it have pages */
async function renderSweep(sweep: SweepNow, folder: string): Promise<ShownSweep> {
	const { path, state, running } = sweep;
	const metric = state.metric ?? (state.settings.metric as Metric | undefined) ?? "accuracy";
	const runs = await findLocalRuns(folder);
	const linkOf = (trial: TrialResult) => {
		const run = join(relative(folder, path), trial.folder);
		return runs.has(run) ? `?${new URLSearchParams({ run })}` : undefined;
	};
	const view = { state, metric, running, curves: await readSweepCurves(path, state, metric, running), linkOf };
	const page = html`<header><p class="eyebrow">Tailtune sweep</p><h1><bdi>${titleOf(state)}</bdi></h1>${leadOf(state)}</header>
${renderProgress(sweep)}${sweepSections(view)}`;
	return { title: titleOf(state), html: page.text, isFinished: state.finishedAt !== null };
}

/** Renders what the sweep does now, and how many trials have ended. */
function renderProgress(sweep: SweepNow): Html {
	const { path, state, running, isUsed } = sweep;
	const { trials, finishedAt } = state;
	const ended = trials.filter(hasEnded).length;
	const left = finishedAt === null && isUsed ? estimateSecondsLeft(state, running.length) : null;
	const counts = `${formatCount(ended)} of ${formatCount(trials.length)} trials have ended`;
	const now = describeNow(sweep);
	return html`<section aria-label="Progress"><p class="row phase"><strong>${now}</strong>
<span>${counts}${left !== null && left > 0 && `, ${formatEta(left)}`}</span></p>
<progress max="${trials.length}" value="${ended}" aria-label="Trials that have ended"></progress>
${finishedAt !== null && html`<p class="note">The report can be opened without a server: ${join(path, "report.html")}</p>`}
${now === "interrupted" && html`<p class="note">To resume: npx tailtune sweep --resume ${shellWord(path)}</p>`}</section>`;
}

function describeNow({ state: { finishedAt, trials }, running, isUsed }: SweepNow): string {
	if (finishedAt !== null) return "finished";
	if (running.length > 0) return `${running.join(", ")} ${running.length === 1 ? "is" : "are"} trained`;
	if (isUsed) return "running";
	return trials.every(({ state }) => state === "failed") ? "failed: no trial finished" : "interrupted";
}
