import { EXIT_CODES } from "../errors.ts";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * A signal that aborts at Ctrl-C or SIGTERM, so that the work in hand can end well; at the second one the process
 * ends at once.
 */
export function interruptSignal(): AbortSignal {
	const controller = new AbortController();
	const interrupt = (signal: NodeJS.Signals) => {
		if (controller.signal.aborted) endBy(signal);
		controller.abort();
	};
	for (const signal of SIGNALS) process.on(signal, interrupt);
	return controller.signal;
}

/**
 * Does work that may hold the thread for long and leaves nothing behind if it is cut off: meanwhile Ctrl-C and SIGTERM end the
 * process at once, as they end one that doesn't listen to them. Whoever listens would be told after the work.
 */
export async function endOnSignals<T>(work: () => Promise<T>): Promise<T> {
	// The system drops signals to a container's first process unless it listens.
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
 * Does what is done at every exit, then ends as the signal ends a process that doesn't listen to it. `process.exit` has
 * threads end first, and ONNX Runtime aborts where one is ended while it computes.
 */
function endBy(signal: NodeJS.Signals): void {
	process.emit("exit", EXIT_CODES.interrupted.code);
	process.removeAllListeners(signal);
	process.kill(process.pid, signal);
}
