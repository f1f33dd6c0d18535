import { hostname } from "node:os";
import { systemCodeOf } from "../../shared/errors.ts";
import type { TlsFiles } from "../../shared/rpc/credentials.ts";
import { isWildcardAddress } from "../cluster/wildcard-address.ts";
import { type HttpServer, listenHttp } from "../http/listen-http.ts";
import type { ListenPlace } from "../rpc/listen-error.ts";

/** The port if none is given, and how many are tried from it on. */
const FIRST_PORT = 7007;
const TRIED_PORTS = 20;

/**
 * Serves an application whose requests need a token.
 * @param place default: port 7007 on loopback, or the next free one
 * @throws TailtuneError "usage" if it can't listen there
 */
export async function listenPage(
	{ fetch }: Parameters<typeof listenHttp>[0],
	place: ListenPlace | undefined,
	tls: TlsFiles | undefined,
): Promise<HttpServer> {
	const listen = (at: ListenPlace) => listenHttp({ fetch }, at, tls, true);
	if (place !== undefined) return listen(place);
	for (let port = FIRST_PORT; port < FIRST_PORT + TRIED_PORTS; port++) {
		try {
			return await listen(onLoopback(port));
		} catch (error) {
			if (!(error instanceof Error && systemCodeOf(error.cause) === "EADDRINUSE")) throw error;
		}
	}
	return listen(onLoopback(0));
}

function onLoopback(port: number): ListenPlace {
	return { address: `127.0.0.1:${port}`, flag: "listen address" };
}

/** Returns the address of a page for people. @param hash the token, unless people have it from elsewhere */
export function pageUrl({ address }: HttpServer, isTls: boolean, hash: string): string {
	// The address that means all addresses can't be opened.
	const host = isWildcardAddress(address) ? address.replace(/^.*(?=:)/, hostname()) : address;
	return `${isTls ? "https" : "http"}://${host}/${hash}`;
}
