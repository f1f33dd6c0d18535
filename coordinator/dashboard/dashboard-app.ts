import type { ServerResponse } from "node:http";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { onlyJson } from "../http/http-checks.ts";
import { addCellTexts } from "./cell-texts.ts";
import { addClassifyBox } from "./classify-box.ts";
import type { PageApp } from "./page-app.ts";
import type { RunClassifier } from "./run-classifier.ts";
import type { Viewers } from "./viewers.ts";

export interface DashboardParts {
	readonly viewers: Viewers;
	readonly page: PageApp;
	/** Classifies texts after the run. */
	readonly classifier: RunClassifier;
	/** Stops the run after the current step. */
	readonly cancel: () => void;
	/** Returns the folder of the finished run. @throws TailtuneError "not-found" before its end */
	readonly folder: () => string;
}

/** Adds the paths of one run: `GET /events`, `GET /texts`, `POST /classify` and `POST /cancel`. */
export function addDashboard({ viewers, page: { app, isAllowed }, classifier, cancel, folder }: DashboardParts): void {
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
	addClassifyBox(app, isAllowed, folder, classifier);
}
