import { hostname } from "node:os";
import type { Hono } from "hono";
import { systemCodeOf } from "../../shared/errors.ts";
import { isWildcardAddress } from "../cluster/wildcard-address.ts";
import { type HttpServer, listenHttp } from "../http/listen-http.ts";
import type { PageEnv } from "./page-app.ts";

/** The port if none is given, and how many are tried from it on. */
const FIRST_PORT = 7007;
const TRIED_PORTS = 20;

/**
 * Serves an application.
 * @param address HOST:PORT; default: port 7007 on loopback, or the next free one
 * @throws TailtuneError "usage" if it can't listen there
 */
export async function listenPage(app: Hono<PageEnv>, address: string | undefined): Promise<HttpServer> {
	const fetch = app.fetch as Parameters<typeof listenHttp>[0]["fetch"];
	if (address !== undefined) return listenHttp({ fetch }, address, undefined, true);
	for (let port = FIRST_PORT; port < FIRST_PORT + TRIED_PORTS; port++) {
		try {
			return await listenHttp({ fetch }, `127.0.0.1:${port}`, undefined, true);
		} catch (error) {
			if (!(error instanceof Error && systemCodeOf(error.cause) === "EADDRINUSE")) throw error;
		}
	}
	return listenHttp({ fetch }, "127.0.0.1:0", undefined, true);
}

/** Returns the address of a page with its token, for people. */
export function pageUrl({ address }: HttpServer, token: string): string {
	// The address that means all addresses can't be opened.
	const host = isWildcardAddress(address) ? address.replace(/^.*(?=:)/, hostname()) : address;
	return `http://${host}/#token=${token}`;
}
