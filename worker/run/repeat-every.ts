import type { Clock } from "../../shared/clock.ts";

/**
 * Does something again and again, each time so many ms after the last was done. Ends at the first error, which goes to
 * `onError`. Returns what ends it.
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
