import {
	type Authenticator,
	credsAuthenticator,
	nkeyAuthenticator,
	tokenAuthenticator,
	usernamePasswordAuthenticator,
} from "nats";
import { TailtuneError } from "../../errors.ts";
import { MOST_SECRET_BYTES, readRegularFile } from "../../files/regular-file.ts";

const PREFIX = "TAILTUNE_NATS_";

/** Login and TLS settings of a connection to NATS. */
export interface NatsAccess {
	readonly credentials?: Authenticator | undefined;
	readonly tls?: NatsTls | undefined;
}

/** Contents of PEM files; any of them makes the connection require TLS. */
export interface NatsTls {
	readonly ca?: string;
	readonly cert?: string;
	readonly key?: string;
}

/**
 * Reads login and TLS settings from the environment: `readNatsCredentials`, and the files for TLS:
 * TAILTUNE_NATS_CA_FILE (trusted CA), TAILTUNE_NATS_CERT_FILE with TAILTUNE_NATS_KEY_FILE (client certificate, if the
 * server asks for one).
 * @throws TailtuneError as `readNatsCredentials`, and "denied" if a file can't be read
 */
export async function readNatsAccess(env: NodeJS.ProcessEnv = process.env): Promise<NatsAccess> {
	return { credentials: await readNatsCredentials(env), tls: await natsTls(env) };
}

async function natsTls(env: NodeJS.ProcessEnv): Promise<NatsTls | undefined> {
	const [ca, cert, key] = await Promise.all(["CA", "CERT", "KEY"].map((name) => secretFile(env, name)));
	if ((cert === undefined) !== (key === undefined))
		throw new TailtuneError("usage", `${PREFIX}CERT_FILE and ${PREFIX}KEY_FILE: found one, expected both`);
	if (ca === undefined && cert === undefined) return undefined;
	return { ...(ca && { ca }), ...(cert && key && { cert, key }) };
}

/**
 * Reads the NATS credentials from the environment; undefined if there are none. One of: TAILTUNE_NATS_USER with
 * TAILTUNE_NATS_PASSWORD, TAILTUNE_NATS_TOKEN (each secret also as ..._FILE, a file that contains it),
 * TAILTUNE_NATS_CREDS_FILE (a .creds file), TAILTUNE_NATS_NKEY_FILE (a file with the seed).
 * @throws TailtuneError "usage" if there are two kinds or half of one, "not-found" if a file doesn't exist
 */
export async function readNatsCredentials(env: NodeJS.ProcessEnv = process.env): Promise<Authenticator | undefined> {
	const user = env[`${PREFIX}USER`];
	const password = await secret(env, "PASSWORD");
	const token = await secret(env, "TOKEN");
	const creds = await secret(env, "CREDS");
	const seed = await secret(env, "NKEY");
	if ((user === undefined) !== (password === undefined))
		throw new TailtuneError("usage", `${PREFIX}USER and ${PREFIX}PASSWORD or _FILE: found one, expected both`);
	const ways: Authenticator[] = [];
	if (user !== undefined && password !== undefined) ways.push(usernamePasswordAuthenticator(user, password));
	if (token !== undefined) ways.push(tokenAuthenticator(token));
	if (creds !== undefined) ways.push(credsAuthenticator(Buffer.from(creds)));
	if (seed !== undefined) ways.push(nkeyAuthenticator(Buffer.from(seed)));
	if (ways.length > 1)
		throw new TailtuneError("usage", `${PREFIX}*: ${ways.length} kinds of credentials, expected one`);
	return ways[0];
}

async function secret(env: NodeJS.ProcessEnv, name: string): Promise<string | undefined> {
	const value = env[`${PREFIX}${name}`];
	if (env[`${PREFIX}${name}_FILE`] === undefined) return value;
	if (value !== undefined)
		throw new TailtuneError("usage", `${PREFIX}${name} and ${PREFIX}${name}_FILE: found both, expected one`);
	return secretFile(env, name);
}

async function secretFile(env: NodeJS.ProcessEnv, name: string): Promise<string | undefined> {
	const file = env[`${PREFIX}${name}_FILE`];
	if (file === undefined) return undefined;
	const bytes = await readRegularFile(file, MOST_SECRET_BYTES, "denied").catch((cause: TailtuneError) => {
		throw new TailtuneError(cause.code, `${PREFIX}${name}_FILE: ${cause.message}`, { cause });
	});
	return bytes.toString("utf8").trim();
}
