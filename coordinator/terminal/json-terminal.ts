import type { RunEvent } from "../events/schemas.ts";
import { keyOfPhase } from "./work.ts";
import { writeJsonLine } from "./write-json-line.ts";

const PROGRESS_EVERY_SECONDS = 1;

/** Prints one JSON object per event; the field `event` holds its kind. */
export class JsonTerminal {
	readonly #stream: NodeJS.WritableStream;
	/** When the progress of each running phase was last printed, in seconds since the phase began. */
	readonly #shownAt = new Map<string, number>();

	constructor(stream: NodeJS.WritableStream) {
		this.#stream = stream;
	}

	show(event: RunEvent): void {
		if (event.event === "classifications") {
			for (const result of event.results) writeJsonLine({ event: "classification", ...result }, this.#stream);
			return;
		}
		if (event.event === "phase") this.#shownAt.set(keyOfPhase(event), 0);
		if (event.event === "phase-done" || event.event === "phase-failed") this.#shownAt.delete(keyOfPhase(event));
		if (event.event === "progress") {
			if (event.seconds - (this.#shownAt.get(keyOfPhase(event)) ?? 0) < PROGRESS_EVERY_SECONDS) return;
			this.#shownAt.set(keyOfPhase(event), event.seconds);
		}
		writeJsonLine(event, this.#stream);
	}
}
