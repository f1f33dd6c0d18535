import { itemKey, type WorkItem, type WorkResult } from "../../shared/messages.ts";
import type { IgnoredAnswers } from "../results/audit.ts";

/** Tells answers that aren't counted apart. Items are asked for in the order of their versions. */
export class RunAnswers {
	readonly ignored: IgnoredAnswers = { double: 0, stale: 0, stray: 0 };
	/** Keys counted of the latest version asked for. */
	readonly #counted = new Set<string>();
	#version = 0;

	ask({ parameterVersion }: WorkItem): void {
		if (parameterVersion === this.#version) return;
		this.#version = parameterVersion;
		this.#counted.clear();
	}

	count(result: WorkResult): void {
		this.#counted.add(itemKey(result));
	}

	ignore(result: WorkResult): void {
		if (this.#counted.has(itemKey(result)) || result.failure?.ofWorker) this.ignored.double++;
		else if (result.parameterVersion < this.#version) this.ignored.stale++;
		else this.ignored.stray++;
	}
}
