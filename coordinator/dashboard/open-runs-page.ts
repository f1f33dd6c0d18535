import { randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { TailtuneError } from "../../shared/errors.ts";
import { compareRuns } from "../compare/compare-runs.ts";
import { findLocalRuns, listLocalRuns } from "../run-folder/list-runs.ts";
import { addCellTexts } from "./cell-texts.ts";
import { FolderViewers } from "./folder-viewers.ts";
import { listenPage, pageUrl } from "./listen-page.ts";
import { createPageApp } from "./page-app.ts";
import { readRunState } from "./run-files.ts";
import { wholeState } from "./state-changes.ts";

/** A page that shows the runs of a folder. */
export interface RunsPage {
	/** Address of the page, with its token. */
	readonly url: string;
	close(): Promise<void>;
}

/**
 * Serves a page with the runs of a folder, from their files.
 * @param address HOST:PORT; default: port 7007 on loopback, or the next free one
 * @throws TailtuneError "not-found" if the folder doesn't exist, "usage" if it can't listen there
 */
export async function openRunsPage(folder: string, address: string | undefined): Promise<RunsPage> {
	await findLocalRuns(folder);
	const token = randomBytes(16).toString("hex");
	const viewers = new FolderViewers();
	const { app, isAllowed } = createPageApp(token, address);
	// Only listed runs can be named, so that no other folder is read.
	const folderOf = async (run = "") => {
		const path = (await findLocalRuns(folder)).get(run);
		if (path !== undefined) return path;
		throw new TailtuneError("not-found", `run ${JSON.stringify(run)}: not found in ${folder}`);
	};
	app.get("/runs", isAllowed, async (context) => context.json({ folder, runs: await listLocalRuns(folder) }));
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
	addCellTexts(app, isAllowed, folderOf);
	const server = await listenPage(app, address);
	const close = async () => {
		await viewers.end();
		await server.close();
	};
	return { url: pageUrl(server, token), close };
}
