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
	process.on("SIGINT", interrupt);
	process.on("SIGTERM", interrupt);
	return controller.signal;
}

/**
 * Does what is done at every exit, then ends as the signal ends a process that doesn't listen to it. `process.exit` has
 * threads end first, and ONNX Runtime aborts where one is ended while it computes.
 */
function endBy(signal: NodeJS.Signals): void {
	process.emit("exit", 130);
	process.removeAllListeners(signal);
	process.kill(process.pid, signal);
}
