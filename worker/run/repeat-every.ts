import type { Clock } from "../../shared/clock.ts";

/**
 * Repeats an action, each time `everyMs` milliseconds after the last one has finished. Stops at the first error, which
 * it passes to `onError`. Returns a function that stops it.
 */
export function repeatEvery(
	clock: Clock,
	everyMs: number,
	action: () => Promise<void>,
	onError: (error: unknown) => void,
): () => void {
	let isStopped = false;
	let cancel = () => {};
	const wait = () => {
		if (!isStopped) cancel = clock.schedule(() => void action().then(wait).catch(onError), everyMs);
	};
	wait();
	return () => {
		isStopped = true;
		cancel();
	};
}
