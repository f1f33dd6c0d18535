/**
 * A signal that aborts at Ctrl-C or SIGTERM, so that the work in hand can end well; at the second one the process
 * ends at once.
 */
export function interruptSignal(): AbortSignal {
	const controller = new AbortController();
	const interrupt = () => {
		if (controller.signal.aborted) process.exit(130);
		controller.abort();
	};
	process.on("SIGINT", interrupt);
	process.on("SIGTERM", interrupt);
	return controller.signal;
}
