import { TailtuneError } from "../../shared/errors.ts";

/** Where a server listens. */
export interface ListenPlace {
	/** HOST:PORT */
	readonly address: string;
	/** Flag that gives the address, for messages. */
	readonly flag: string;
}

const REASONS: Readonly<Record<string, string>> = {
	EADDRINUSE: "the port is in use, expected a free one, or 0 for any free port",
	EADDRNOTAVAIL: "this machine has no such address",
	EACCES: "this user may not listen on this port",
	ENOTFOUND: "no host of this name is known",
};

/** Creates the error of a server that can't listen. @param cause as Node or the gRPC library describes it */
export function createListenError({ address, flag }: ListenPlace, cause: Error): TailtuneError {
	const [code = ""] = /\bE[A-Z]{4,}\b/.exec(cause.message) ?? [];
	return new TailtuneError("usage", `${flag} ${address}: ${REASONS[code] ?? cause.message}`, { cause });
}
