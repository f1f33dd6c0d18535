import { stat } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Hono, MiddlewareHandler } from "hono";
import { TailtuneError } from "../../shared/errors.ts";
import type { SweepState } from "../events/sweep-schema.ts";
import { formatCount, formatEta, shellWord } from "../format.ts";
import type { Metric } from "../metrics/best-score.ts";
import { type Html, html } from "../report/html.ts";
import { leadOf, sweepSections, titleOf } from "../report/render-sweep-report.ts";
import { readSweepCurves } from "../report/write-sweep-report.ts";
import { METRICS_FILE } from "../run-folder/result-files.ts";
import { isInUse } from "../run-folder/run-lock.ts";
import { estimateSecondsLeft } from "../sweep/estimate-seconds-left.ts";
import { findSweeps } from "../sweep/find-sweeps.ts";
import { readSweep, SWEEP_FILE } from "../sweep/sweep-folder.ts";
import type { PageEnv } from "./page-app.ts";

/** A sweep as markup, made by the code of its report. */
interface ShownSweep {
	/** Of the files from which it was made. */
	readonly fingerprint: string;
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
	let shown: ShownSweep | undefined;
	app.get("/sweep", isAllowed, async (context) => {
		const { sweep: name = "" } = context.req.query();
		const path = (await findSweeps(folder)).get(name);
		if (path === undefined)
			throw new TailtuneError("not-found", `sweep ${JSON.stringify(name)}: not found in ${folder}`);
		const state = await readSweep(path);
		const running = state.trials.find(
			(trial) => (trial.state === "waiting" || trial.state === "paused") && isInUse(join(path, trial.folder)),
		)?.folder;
		const fingerprint = await fingerprintSweep(path, running);
		if (shown?.fingerprint !== fingerprint)
			shown = { fingerprint, ...(await renderSweep(path, state, running, relative(folder, path))) };
		const { fingerprint: _, ...answer } = shown;
		return context.json(answer);
	});
}

async function fingerprintSweep(path: string, running = ""): Promise<string> {
	const files = [join(path, SWEEP_FILE), join(path, running, METRICS_FILE)];
	const parts = await Promise.all(files.map((file) => stat(file).catch(() => undefined)));
	return [path, running, isInUse(path), ...parts.map((file) => `${file?.size} ${file?.mtimeMs}`)].join();
}

async function renderSweep(
	path: string,
	state: SweepState,
	running: string | undefined,
	name: string,
): Promise<Omit<ShownSweep, "fingerprint">> {
	const metric = state.metric ?? (state.settings.metric as Metric | undefined) ?? "accuracy";
	const view = {
		...{ state, metric, running },
		curves: await readSweepCurves(path, state, metric, running),
		linkOf: (trial: SweepState["trials"][number]) =>
			trial.state === "waiting" && trial.folder !== running
				? undefined
				: `?${new URLSearchParams({ run: join(name, trial.folder) })}`,
	};
	const page = html`<header><p class="eyebrow">Tailtune sweep</p><h1><bdi>${titleOf(state)}</bdi></h1>${leadOf(state)}</header>
${progress(path, state, running)}${sweepSections(view)}`;
	return { title: titleOf(state), html: page.text, isFinished: state.finishedAt !== null };
}

/** Renders what the sweep does now, and how many trials have ended. */
function progress(path: string, state: SweepState, running: string | undefined): Html {
	const { trials, finishedAt } = state;
	const ended = trials.filter((trial) => trial.state !== "waiting" && trial.state !== "paused").length;
	const left = finishedAt === null && isInUse(path) ? estimateSecondsLeft(state) : null;
	const counts = `${formatCount(ended)} of ${formatCount(trials.length)} trials have ended`;
	const now = describeNow(path, state, running);
	return html`<section aria-label="Progress"><p class="row phase"><strong>${now}</strong>
<span>${counts}${left !== null && left > 0 && `, ${formatEta(left)}`}</span></p>
<progress max="${trials.length}" value="${ended}" aria-label="Trials that have ended"></progress>
${finishedAt !== null && html`<p class="note">The report can be opened without a server: ${join(path, "report.html")}</p>`}
${now === "interrupted" && html`<p class="note">To resume: npx tailtune sweep --resume ${shellWord(path)}</p>`}</section>`;
}

function describeNow(path: string, { finishedAt, trials }: SweepState, running: string | undefined): string {
	if (finishedAt !== null) return "finished";
	if (running !== undefined) return `${running} is trained`;
	if (isInUse(path)) return "running";
	return trials.every(({ state }) => state === "failed") ? "failed: no trial finished" : "interrupted";
}
