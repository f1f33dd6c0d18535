import { TailtuneError } from "../../shared/errors.ts";
import { readToken, type TlsFiles } from "../../shared/rpc/credentials.ts";
import type { OpenCluster } from "../cluster/cluster.ts";
import type { ListenPlace } from "../rpc/listen-error.ts";

/** How a page is protected. */
export interface PageSecurity {
	/** Token that every request needs; default: a random one, which is in the printed address. */
	readonly token?: string | undefined;
	/** Default: no TLS. */
	readonly tls?: TlsFiles | undefined;
}

/** Options of a page and its server. */
export interface PageOptions {
	/** Default: port 7007 on loopback, or the next free one. */
	readonly place: ListenPlace | undefined;
	readonly security?: PageSecurity;
	/** Whether the run starts its workers itself, which changes the advice; default: false. */
	readonly hasLocalWorkers?: boolean;
	/** Opens the worker that classifies texts. */
	readonly openCluster: OpenCluster;
}

const PREFIX = "TAILTUNE_DASHBOARD_";

/**
 * Reads the token and the TLS files of the page from the environment: TAILTUNE_DASHBOARD_TOKEN_FILE,
 * TAILTUNE_DASHBOARD_CERT_FILE with TAILTUNE_DASHBOARD_KEY_FILE, and TAILTUNE_DASHBOARD_CA_FILE, if browsers must
 * present a certificate from this CA.
 * @throws TailtuneError "denied" if the token's file can't be used, "usage" if a file is missing
 */
export async function readPageSecurity(env: NodeJS.ProcessEnv = process.env): Promise<PageSecurity> {
	const fileOf = (name: string) => env[`${PREFIX}${name}_FILE`];
	const [certFile, keyFile, caFile] = [fileOf("CERT"), fileOf("KEY"), fileOf("CA")];
	const token = await readToken({ file: fileOf("TOKEN") });
	if (certFile !== undefined && keyFile !== undefined) return { token, tls: { certFile, keyFile, caFile } };
	if (certFile === undefined && keyFile === undefined && caFile === undefined) return { token };
	const missing = certFile === undefined ? "CERT" : "KEY";
	const names = `${PREFIX}CERT_FILE and ${PREFIX}KEY_FILE`;
	throw new TailtuneError("usage", `${PREFIX}${missing}_FILE: found nothing, expected both ${names}, or neither`);
}
