import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import type { Hono } from "hono";
import { CALL_LIMITS, type CallLimits } from "../../shared/rpc/config.ts";
import { readPems, type TlsFiles } from "../../shared/rpc/credentials.ts";
import { HTTP_CHECK_MS } from "../deadlines.ts";
import { createListenError, type ListenPlace } from "../rpc/listen-error.ts";
import { checkAuthenticated, parseAddress } from "../rpc/server.ts";

/** A server that listens. */
export interface HttpServer {
	/** HOST:PORT that it listens on. */
	readonly address: string;
	/** Refuses new connections and closes the open ones. */
	close(): Promise<void>;
}

/**
 * Serves over HTTP, or HTTPS with TLS files.
 * @param limits a request must come whole, and its headers before that, within `messageMs`
 * @throws TailtuneError "usage" if it can't listen on this address, or the address is public and nothing authenticates
 * clients
 */
export async function listenHttp(
	{ fetch }: Pick<Hono, "fetch">,
	place: ListenPlace,
	tls: TlsFiles | undefined,
	hasTokens: boolean,
	limits: Pick<CallLimits, "connections" | "headerBytes" | "messageMs"> = CALL_LIMITS,
): Promise<HttpServer> {
	const { host, port } = parseAddress(place);
	if (!hasTokens) checkAuthenticated(place, tls);
	const { connections, headerBytes, messageMs } = limits;
	const serverOptions = {
		maxHeaderSize: headerBytes,
		headersTimeout: messageMs,
		requestTimeout: messageMs,
		connectionsCheckingInterval: Math.min(messageMs, HTTP_CHECK_MS),
	};
	const server = createAdaptorServer({
		fetch,
		...(tls
			? { createServer: createTlsServer, serverOptions: { ...serverOptions, ...(await tlsOptions(tls)) } }
			: { createServer, serverOptions }),
	});
	server.maxConnections = connections;
	await new Promise<void>((resolve, reject) => {
		server.once("error", (cause) => reject(createListenError(place, cause)));
		server.listen(port, host.replace(/^\[(.*)\]$/, "$1"), resolve);
	});
	const close = () =>
		new Promise<void>((resolve) => {
			server.close(() => resolve());
			if ("closeAllConnections" in server) server.closeAllConnections();
		});
	return { address: `${host}:${(server.address() as AddressInfo).port}`, close };
}

async function tlsOptions(tls: TlsFiles) {
	const asksForCertificate = tls.caFile !== undefined;
	return { ...(await readPems(tls)), requestCert: asksForCertificate, rejectUnauthorized: asksForCertificate };
}
