import type { Dispatcher } from "../cluster/dispatcher.ts";
import type { AuditLine } from "../run-folder/audit.ts";

/** Collects audit lines of steps until they are written. */
export class AuditTrail {
	readonly #dispatcher: Pick<Dispatcher, "ignored">;
	#lines: AuditLine[] = [];
	#ignored = { double: 0, stale: 0, stray: 0 };

	constructor(dispatcher: Pick<Dispatcher, "ignored">) {
		this.#dispatcher = dispatcher;
	}

	/** Adds the line of a step. @param parts answers used, in the order of summation */
	add(step: number, parts: AuditLine["parts"]): void {
		this.#lines.push({ step, parts, ...this.#newlyIgnored() });
	}

	/** Returns and removes the collected lines. */
	take(): AuditLine[] {
		const lines = this.#lines;
		this.#lines = [];
		return lines;
	}

	#newlyIgnored(): Pick<AuditLine, "ignored"> {
		const { double, stale, stray } = this.#dispatcher.ignored;
		const before = this.#ignored;
		const ignored = { double: double - before.double, stale: stale - before.stale, stray: stray - before.stray };
		this.#ignored = { double, stale, stray };
		return ignored.double + ignored.stale + ignored.stray > 0 ? { ignored } : {};
	}
}
