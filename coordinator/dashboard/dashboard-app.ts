import type { ServerResponse } from "node:http";
import type { HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { TailtuneError } from "../../shared/errors.ts";
import { onlyJson, onlyLoopbackHost, requireToken } from "../http/http-checks.ts";
import { refuseRequest } from "../http/refuse-request.ts";
import { readPageFiles } from "./page-files.ts";
import type { Viewers } from "./viewers.ts";

export interface DashboardParts {
	readonly viewers: Viewers;
	/** The token without which only the files of the page are sent. */
	readonly token: string;
	/** Whether the Host header must be a loopback name. */
	readonly onlyLoopback: boolean;
	/** Stops the run after the current step. */
	readonly cancel: () => void;
}

const SELF = ["'self'"];
const NONE = ["'none'"];

/** The page may load only its own files, run only its own scripts, and isn't shown within other pages. */
const HEADERS = secureHeaders({
	contentSecurityPolicy: {
		...{ defaultSrc: NONE, scriptSrc: SELF, styleSrc: SELF, connectSrc: SELF, imgSrc: ["data:"] },
		...{ baseUri: NONE, formAction: NONE, frameAncestors: NONE },
	},
	strictTransportSecurity: false,
});

/** Creates the application: the page's files, `GET /events` and `POST /cancel`. */
export function dashboardApp({ viewers, token, onlyLoopback, cancel }: DashboardParts) {
	const app = new Hono<{ Bindings: HttpBindings }>();
	if (onlyLoopback) app.use(onlyLoopbackHost);
	app.use(HEADERS);
	app.onError((error, context) => refuseRequest(context, error));
	app.notFound((context) => refuseRequest(context, new TailtuneError("not-found", `${context.req.path}: not found`)));
	for (const [path, { type, content }] of readPageFiles()) {
		app.get(path, (context) => context.body(content, 200, { "content-type": type, "cache-control": "no-cache" }));
	}
	const isAllowed = requireToken("the dashboard", [{ token, may: () => true }]);
	app.get("/events", isAllowed, (context) => {
		// The server speaks HTTP/1.1 only.
		viewers.add(context.env.outgoing as ServerResponse);
		return RESPONSE_ALREADY_SENT;
	});
	app.post("/cancel", isAllowed, onlyJson, (context) => {
		cancel();
		return context.json({});
	});
	return app;
}
