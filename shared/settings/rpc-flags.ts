import type { Command } from "commander";
import type { TlsFiles } from "../rpc/credentials.ts";

/** What the two ends of the way for tensors show each other. */
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

/** Adds the flags of `readRpcSecurity`: they name files, so that nothing secret is on a command line. */
export function addRpcFlags(command: Command): Command {
	return command
		.option(
			"--token-file <file>",
			"holds the token that workers show to the coordinator (default: TAILTUNE_TOKEN_FILE)",
		)
		.option("--tls-cert <file>", "own certificate, in PEM: tensors then travel by TLS")
		.option("--tls-key <file>", "its key")
		.option("--tls-ca <file>", "whom to trust; on the coordinator: workers must show a certificate signed by it");
}

/** @throws TailtuneError "denied" where the token's file isn't usable */
export async function readRpcSecurity(flags: RpcFlags, env: NodeJS.ProcessEnv = process.env): Promise<RpcSecurity> {
	const { tokenFile = env.TAILTUNE_TOKEN_FILE, tlsCert: certFile, tlsKey: keyFile, tlsCa: caFile } = flags;
	// Brings gRPC, half a tenth of a second, which a run in one process has no use for.
	const { readToken } = await import("../rpc/credentials.ts");
	const isTls = [certFile, keyFile, caFile].some((file) => file !== undefined);
	return { token: await readToken({ file: tokenFile }), ...(isTls && { tls: { certFile, keyFile, caFile } }) };
}
