import progress, { type GenericFormatter } from "cli-progress";
import type { Paint } from "./paint.ts";
import type { Work } from "./work.ts";

const WIDEST_BAR = 28;
const NARROWEST_BAR = 8;

const shown = new Set<Bar>();

/** Removes all bars from the screen, so that the next output begins on an empty line, and stops their timers. */
export function hideBars(): void {
	for (const bar of shown) bar.hide();
}

/**
 * A progress bar at the bottom of a terminal. It neither hides the cursor nor changes settings of the terminal, so
 * nothing has to be restored after a crash.
 */
export class Bar {
	readonly #bar: progress.SingleBar;
	readonly #work: Work;

	constructor(work: Work, stream: NodeJS.WritableStream, paint: Paint) {
		this.#work = work;
		this.#bar = new progress.SingleBar({
			stream,
			format: formatterOf(work, paint),
			barCompleteChar: "━",
			barIncompleteChar: "─",
			barsize: WIDEST_BAR,
			clearOnComplete: true,
			linewrap: true,
			gracefulExit: false,
		});
	}

	show(): void {
		if (shown.size === 0) process.once("exit", hideBars);
		shown.add(this);
		this.#bar.start(this.#work.total, this.#work.done);
	}

	update(): void {
		this.#bar.update(this.#work.done);
	}

	hide(): void {
		this.#bar.stop();
		shown.delete(this);
		if (shown.size === 0) process.removeListener("exit", hideBars);
	}
}

/** Formats the line of a bar to fit the terminal. If it is too narrow, the counts are left out first, then the bar. */
function formatterOf(work: Work, paint: Paint): GenericFormatter {
	// The library cuts the line at the width of the terminal and counts colour codes as visible characters.
	const invisible = paint("cyan", "").length;
	return (options, { maxWidth }) => {
		const percent = work.total > 0 ? `${Math.floor(work.share * 100)} %`.padStart(5) : "";
		const name = work.name.padEnd(10);
		for (const parts of [
			[percent, work.counts, work.eta],
			[percent, work.eta],
		]) {
			const text = parts.filter((part) => part !== "").join("  ");
			const barsize = Math.min(maxWidth - 1 - invisible - name.length - 2 - text.length - 2, WIDEST_BAR);
			if (barsize < NARROWEST_BAR) continue;
			const bar = paint("cyan", progress.Format.BarFormat(work.share, { ...options, barsize }));
			return [name, ...(work.total > 0 ? [bar] : []), text].join("  ");
		}
		return `${name}  ${percent}`.slice(0, maxWidth - 1);
	};
}
