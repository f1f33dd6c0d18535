import { EXIT_CODES } from "../errors.ts";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * Returns a signal that aborts at Ctrl-C or SIGTERM, so that the current work can end cleanly. A second Ctrl-C or
 * SIGTERM ends the process at once.
 */
export function createInterruptSignal(): AbortSignal {
	const controller = new AbortController();
	const interrupt = (signal: NodeJS.Signals) => {
		if (controller.signal.aborted) endBy(signal);
		controller.abort();
	};
	for (const signal of SIGNALS) process.on(signal, interrupt);
	return controller.signal;
}

/**
 * Does work that may block the event loop for long and needs no clean-up. Ctrl-C and SIGTERM end the process at once
 * during the work; listeners would get them only after it.
 */
export async function endOnSignals<T>(work: () => Promise<T>): Promise<T> {
	// The system drops signals to the first process of a container if it has no listener.
	if (process.pid === 1) return work();
	const listeners = SIGNALS.flatMap((signal) => process.listeners(signal).map((listener) => ({ signal, listener })));
	for (const { signal, listener } of listeners) process.off(signal, listener);
	try {
		return await work();
	} finally {
		for (const { signal, listener } of listeners) process.on(signal, listener);
	}
}

/**
 * Calls the exit listeners, then ends the process by the signal's default action. `process.exit` would first end the
 * threads, and ONNX Runtime aborts if its thread is ended while it computes.
 */
function endBy(signal: NodeJS.Signals): void {
	process.emit("exit", EXIT_CODES.interrupted.code);
	process.removeAllListeners(signal);
	process.kill(process.pid, signal);
}
