import type { WorkItem, WorkKind, WorkResult } from "../../shared/messages.ts";
import type { IgnoredAnswers } from "../run-folder/audit.ts";

/**
 * Tells answers that aren't counted apart. Items are asked for in the order of their versions, and the parts of a version
 * count up from 0: what was asked for is known without a list of it, which would grow for ever where one version answers
 * all questions, as in a server.
 */
export class RunAnswers {
	readonly ignored: IgnoredAnswers = { double: 0, stale: 0, stray: 0 };
	/** The last part asked for of each kind, of the latest version. */
	readonly #lastPart = new Map<WorkKind, number>();
	#version = 0;

	ask({ kind, parameterVersion, part }: Pick<WorkItem, "kind" | "parameterVersion" | "part">): void {
		if (parameterVersion !== this.#version) this.#lastPart.clear();
		this.#version = parameterVersion;
		this.#lastPart.set(kind, Math.max(part, this.#lastPart.get(kind) ?? 0));
	}

	/** Counts an answer to an item that is not waited for: it was asked for and has its answer, or it never was. */
	ignore({ kind, parameterVersion, part, failure }: WorkResult): void {
		const wasAsked = parameterVersion === this.#version && part <= (this.#lastPart.get(kind) ?? -1);
		if (wasAsked || failure?.ofWorker) this.ignored.double++;
		else if (parameterVersion < this.#version) this.ignored.stale++;
		else this.ignored.stray++;
	}
}
