import { randomBytes } from "node:crypto";
import type { HttpBindings } from "@hono/node-server";
import { Hono, type MiddlewareHandler } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { TailtuneError } from "../../shared/errors.ts";
import { isLoopback } from "../../shared/settings/host-port.ts";
import { onlyLoopbackHost, requireToken } from "../http/http-checks.ts";
import { refuseRequest } from "../http/refuse-request.ts";
import { listenPage, pageUrl } from "./listen-page.ts";
import { readPageFiles } from "./page-files.ts";
import type { PageOptions } from "./page-options.ts";

/** The application runs on Node's HTTP server. */
export interface PageEnv {
	readonly Bindings: HttpBindings;
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

/** An application whose server doesn't listen yet. */
export interface PageApp {
	readonly app: Hono<PageEnv>;
	/** Refuses requests without the token. */
	readonly isAllowed: MiddlewareHandler;
	/** Starts the server. @throws TailtuneError "usage" if it can't listen */
	listen(): Promise<{ readonly url: string; close(): Promise<void> }>;
}

/**
 * Creates an application that sends the files of the page to everybody. Everything else needs the token: other users of
 * the machine can reach a port on loopback too. On loopback, other names in the Host header are refused.
 */
export function createPageApp({ place, security = {} }: Omit<PageOptions, "openCluster">): PageApp {
	const { token = randomBytes(16).toString("hex"), tls } = security;
	const app = new Hono<PageEnv>();
	if (place === undefined || isLoopback(place.address)) app.use(onlyLoopbackHost);
	app.use(HEADERS);
	app.onError((error, context) => refuseRequest(context, error));
	app.notFound((context) => refuseRequest(context, new TailtuneError("not-found", `${context.req.path}: not found`)));
	for (const [path, { type, content }] of readPageFiles()) {
		app.get(path, (context) => context.body(content, 200, { "content-type": type, "cache-control": "no-cache" }));
	}
	const isAllowed: MiddlewareHandler = requireToken("the dashboard", [{ token, may: () => true }]);
	const listen = async () => {
		const server = await listenPage({ fetch: app.fetch as Hono["fetch"] }, place, tls);
		// A token from a file is a secret of many runs, so it isn't printed.
		const hash = security.token === undefined ? `#token=${token}` : "";
		return { url: pageUrl(server, tls !== undefined, hash), close: () => server.close() };
	};
	return { app, isAllowed, listen };
}
