import { logVerbosity, setLogVerbosity } from "@grpc/grpc-js";

/** Keeps grpc-js from writing to the terminal what is an error of ours too; GRPC_VERBOSITY makes it talk again. */
export function silenceLibrary(): void {
	if (!process.env.GRPC_VERBOSITY) setLogVerbosity(logVerbosity.NONE);
}
