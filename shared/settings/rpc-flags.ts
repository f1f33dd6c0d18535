import type { Command } from "commander";
import type { TlsFiles } from "../rpc/credentials.ts";

/** Credentials for the tensor exchange between workers and the coordinator. */
export interface RpcSecurity {
	readonly token?: string | undefined;
	readonly tls?: TlsFiles | undefined;
}

/** Values of the flags below. */
export interface RpcFlags {
	readonly tokenFile?: string;
	readonly tlsCert?: string;
	readonly tlsKey?: string;
	readonly tlsCa?: string;
}

/** Adds the flags of `readRpcSecurity`. They name files, so that the command line holds no secrets. */
export function addRpcFlags(command: Command): Command {
	return command
		.option(
			"--token-file <file>",
			"file with the token that workers send to the coordinator (default: the file that TAILTUNE_TOKEN_FILE names)",
		)
		.option("--tls-cert <file>", "own certificate (PEM): turns on TLS between workers and coordinator")
		.option("--tls-key <file>", "private key of that certificate (PEM)")
		.option(
			"--tls-ca <file>",
			"CA certificate to trust (PEM); on the coordinator: workers must present a certificate from this CA (mTLS)",
		);
}

/** Reads the credentials that the flags name. @throws TailtuneError "denied" if the token's file can't be used */
export async function readRpcSecurity(flags: RpcFlags, env: NodeJS.ProcessEnv = process.env): Promise<RpcSecurity> {
	const { tokenFile = env.TAILTUNE_TOKEN_FILE, tlsCert: certFile, tlsKey: keyFile, tlsCa: caFile } = flags;
	// Imported here because gRPC takes 0.05 s to load and a run in one process does not need it.
	const { readToken } = await import("../rpc/credentials.ts");
	const isTls = [certFile, keyFile, caFile].some((file) => file !== undefined);
	return { token: await readToken({ file: tokenFile }), ...(isTls && { tls: { certFile, keyFile, caFile } }) };
}
