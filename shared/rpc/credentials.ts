import { createHash, timingSafeEqual } from "node:crypto";
import { createSecureContext } from "node:tls";
import { ChannelCredentials, ServerCredentials } from "@grpc/grpc-js";
import { TailtuneError } from "../errors.ts";
import { MOST_SECRET_BYTES, readRegularFile } from "../files/regular-file.ts";

/** PEM files of one side of TLS. */
export interface TlsFiles {
	/**
	 * Own certificate (with its chain) and key. A server needs both; a client needs them if the server asks for a
	 * certificate.
	 */
	readonly certFile?: string | undefined;
	readonly keyFile?: string | undefined;
	/**
	 * CA certificate to trust. On a server: clients must present a certificate from it. On a client: default the system's
	 * CAs.
	 */
	readonly caFile?: string | undefined;
}

/** Source of a bearer token: never a command line, because every user of a machine can read those. */
export interface TokenSource {
	readonly file?: string | undefined;
	/** Name of an environment variable. */
	readonly environment?: string | undefined;
}

/**
 * Reads a bearer token; white space around it is ignored.
 * @throws TailtuneError "denied" if it is missing, empty, or contains characters that a header can't hold
 */
export async function readToken({ file, environment }: TokenSource): Promise<string | undefined> {
	if (file === undefined && environment === undefined) return undefined;
	const place = file ?? `environment variable ${environment}`;
	const text = file === undefined ? process.env[environment as string] : (await readSecret(file)).toString("utf8");
	const token = text?.trim() ?? "";
	if (/^[\x21-\x7e]+$/.test(token)) return token;
	throw new TailtuneError(
		"denied",
		`${place}: found ${token ? "other characters" : "nothing"}, expected an ASCII token`,
	);
}

/** Compares two secrets in constant time. */
export function sameSecret(found: string, expected: string): boolean {
	const digest = (secret: string) => createHash("sha256").update(secret).digest();
	return timingSafeEqual(digest(found), digest(expected));
}

/**
 * Reads a server's credentials; without files it uses plain text. Throws TailtuneError "denied" if a file can't be
 * used.
 */
export async function readServerCredentials(tls: TlsFiles | undefined): Promise<ServerCredentials> {
	if (!tls) return ServerCredentials.createInsecure();
	const { cert, key, ca } = await readPems(tls);
	if (!cert || !key) throw new TailtuneError("denied", "TLS: a server needs a certificate and its key");
	return ServerCredentials.createSsl(ca ?? null, [{ cert_chain: cert, private_key: key }], ca !== undefined);
}

/**
 * Reads a client's credentials; without `tls` it uses plain text. Throws TailtuneError "denied" if a file can't be
 * used.
 */
export async function readClientCredentials(tls: TlsFiles | undefined): Promise<ChannelCredentials> {
	if (!tls) return ChannelCredentials.createInsecure();
	const { cert, key, ca } = await readPems(tls);
	return ChannelCredentials.createSsl(ca ?? null, key ?? null, cert ?? null);
}

/** Reads the files and checks that they match. Throws TailtuneError "denied" or "not-found" if one can't be used. */
export async function readPems({ certFile, keyFile, caFile }: TlsFiles) {
	const [cert, key, ca] = await Promise.all([certFile, keyFile, caFile].map((file) => file && readSecret(file)));
	const pems = { cert: cert || undefined, key: key || undefined, ca: ca || undefined };
	try {
		createSecureContext(pems);
	} catch (cause) {
		const names = [certFile, keyFile, caFile].filter(Boolean).join(", ");
		throw new TailtuneError("denied", `TLS files ${names}: ${(cause as Error).message}`, { cause });
	}
	return pems;
}

async function readSecret(file: string): Promise<Buffer> {
	return readRegularFile(file, MOST_SECRET_BYTES, "denied");
}
