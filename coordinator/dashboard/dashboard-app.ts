import type { ServerResponse } from "node:http";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Hono } from "hono";
import { onlyJson } from "../http/http-checks.ts";
import { addCellTexts } from "./cell-texts.ts";
import { createPageApp, type PageEnv } from "./page-app.ts";
import type { Viewers } from "./viewers.ts";

export interface DashboardParts {
	readonly viewers: Viewers;
	readonly token: string;
	/** HOST:PORT to listen on. */
	readonly address: string | undefined;
	/** Stops the run after the current step. */
	readonly cancel: () => void;
	/** Returns the folder of the finished run. @throws TailtuneError "not-found" before its end */
	readonly folder: () => string;
}

/** Creates the application of one run: `GET /events`, `GET /texts` and `POST /cancel`. */
export function dashboardApp({ viewers, token, address, cancel, folder }: DashboardParts): Hono<PageEnv> {
	const { app, isAllowed } = createPageApp(token, address);
	app.get("/events", isAllowed, (context) => {
		// The server speaks HTTP/1.1 only.
		viewers.add(context.env.outgoing as ServerResponse);
		return RESPONSE_ALREADY_SENT;
	});
	app.post("/cancel", isAllowed, onlyJson, (context) => {
		cancel();
		return context.json({});
	});
	// There is no list of runs.
	app.get("/runs", isAllowed, (context) => context.json(null));
	addCellTexts(app, isAllowed, folder);
	return app;
}
