import type { Phase } from "./terminal.ts";

/**
 * Turns "so many bytes are there" into the steps of a phase, which begins with the first report of a file that isn't
 * complete: what is there by then came earlier.
 */
export function downloadProgress(
	begin: (totalBytes: number, startAt: number) => Phase,
): (doneBytes: number, totalBytes: number) => void {
	let phase: Phase | undefined;
	let told = 0;
	return (doneBytes, totalBytes) => {
		if (!phase) {
			if (doneBytes >= totalBytes) return;
			phase = begin(totalBytes, doneBytes);
			told = doneBytes;
		}
		phase.advance(doneBytes - told);
		told = doneBytes;
		if (doneBytes < totalBytes) return;
		phase.done();
		phase = undefined;
	};
}
