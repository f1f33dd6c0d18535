import { logVerbosity, setLogVerbosity } from "@grpc/grpc-js";

/** Stops grpc-js from writing errors to the terminal, which we report ourselves; GRPC_VERBOSITY enables them again. */
export function silenceLibrary(): void {
	if (!process.env.GRPC_VERBOSITY) setLogVerbosity(logVerbosity.NONE);
}
