import type { ServerResponse } from "node:http";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Hono, MiddlewareHandler } from "hono";
import { TailtuneError } from "../../shared/errors.ts";
import { compareRuns } from "../compare/compare-runs.ts";
import { RUN_FILES_MS } from "../deadlines.ts";
import { shortNameOf } from "../format.ts";
import { METRIC_NAMES } from "../metrics/best-score.ts";
import { findLocalRuns, type KnownRuns, listLocalRuns } from "../run-folder/list-runs.ts";
import type { LocalRun } from "../run-folder/local-runs.ts";
import { listSweeps } from "../sweep/find-sweeps.ts";
import { addCellTexts } from "./cell-texts.ts";
import { addClassifyBox } from "./classify-box.ts";
import { addClusterPaths } from "./cluster-paths.ts";
import { FolderViewers } from "./folder-viewers.ts";
import type { LiveCluster } from "./live-cluster.ts";
import { createPageApp, type PageEnv } from "./page-app.ts";
import type { PageOptions } from "./page-options.ts";
import { RunClassifier } from "./run-classifier.ts";
import { readRunState } from "./run-files.ts";
import { shareReads } from "./share-reads.ts";
import { wholeState } from "./state-changes.ts";
import { addSweepPage } from "./sweep-page.ts";

/** A page that shows the runs of a folder. */
export interface RunsPage {
	/** Address of the page, with its token. */
	readonly url: string;
	close(): Promise<void>;
}

/**
 * Serves a page with the runs of a folder, from their files, and with those of a cluster.
 * @param cluster default: none; with a cluster, the folder needn't exist
 * @throws TailtuneError "not-found" if the folder doesn't exist, "usage" if it can't listen there
 */
export async function openRunsPage(folder: string, options: PageOptions, cluster?: LiveCluster): Promise<RunsPage> {
	if (!cluster) await findLocalRuns(folder);
	const viewers = new FolderViewers();
	const classifier = new RunClassifier(options.openCluster);
	const { app, isAllowed, listen } = createPageApp(options);
	// Only listed runs can be named, so that no other folder is read.
	const folderOf = async (run = "") => {
		const path = (await findLocalRuns(folder)).get(run);
		if (path !== undefined) return path;
		throw new TailtuneError("not-found", `run ${JSON.stringify(run)}: not found in ${folder}`);
	};
	addRunsList(app, isAllowed, folder, cluster !== undefined);
	app.get("/events", isAllowed, async (context) => {
		await viewers.add(await folderOf(context.req.query("run")), context.env.outgoing as ServerResponse);
		return RESPONSE_ALREADY_SENT;
	});
	app.get("/state", isAllowed, async (context) =>
		context.json(wholeState(await readRunState(await folderOf(context.req.query("run"))))),
	);
	app.get("/comparison", isAllowed, async (context) => {
		const folders = await Promise.all((context.req.queries("run") ?? []).slice(0, 2).map(folderOf));
		return context.json(await compareRuns(folders));
	});
	addSweepPage(app, isAllowed, folder);
	addClusterPaths(app, isAllowed, cluster);
	addCellTexts(app, isAllowed, folderOf);
	addClassifyBox(app, isAllowed, folderOf, classifier);
	const server = await listen();
	const close = async () => {
		await viewers.end();
		await Promise.all([server.close(), classifier.close()]);
	};
	return { url: server.url, close };
}

/** Adds `GET /runs`. The list is read at most once per second for all pages. */
function addRunsList(app: Hono<PageEnv>, isAllowed: MiddlewareHandler, folder: string, isOptional: boolean): void {
	const known: KnownRuns = new Map();
	const list = shareReads(async () => {
		const runs = await listLocalRuns(folder, known).catch((error) => {
			if (isOptional && error instanceof TailtuneError && error.code === "not-found") return [];
			throw error;
		});
		return { folder, runs: runs.map(withShortNames), sweeps: await listSweeps(folder) };
	}, RUN_FILES_MS);
	app.get("/runs", isAllowed, async (context) => context.json(await list()));
}

function withShortNames({ model, data, ...run }: LocalRun) {
	const metricName = run.metric && METRIC_NAMES[run.metric];
	return { ...run, model: model && shortNameOf(model), data: data && shortNameOf(data), metricName };
}
