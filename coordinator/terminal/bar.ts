import { BAR_REDRAW_MS } from "../deadlines.ts";
import { LiveLines } from "./live-lines.ts";
import type { Paint } from "./paint.ts";
import type { TerminalStream } from "./terminal-stream.ts";
import type { Work } from "./work.ts";

const WIDEST_BAR = 28;
const NARROWEST_BAR = 8;

const shown = new Set<Bar>();

/** Removes all bars from the screen, so that the next output begins on an empty line, and stops their timers. */
export function hideBars(): void {
	for (const bar of shown) bar.show([]);
}

/** Progress bars at the bottom of a terminal. They are drawn at most every BAR_REDRAW_MS, also without news. */
export class Bar {
	readonly #lines: LiveLines;
	readonly #paint: Paint;
	#works: readonly Work[] = [];
	#timer: NodeJS.Timeout | undefined;
	#drawnMs = 0;

	constructor(stream: TerminalStream, env: NodeJS.ProcessEnv, paint: Paint) {
		this.#lines = new LiveLines(stream, env);
		this.#paint = paint;
	}

	/** Shows the progress of each of `works`; nothing if there is none. @param above lines to write above the bars */
	show(works: readonly Work[], above = ""): void {
		this.#works = works;
		this.#drawnMs = performance.now();
		const nameColumns = Math.max(10, ...works.map(({ name }) => name.length));
		this.#lines.show((columns) => works.map((work) => formatBar(work, columns, nameColumns, this.#paint)), above);
		if (works.length > 0) this.#keep();
		else this.#release();
	}

	/** Draws the bars again, if that wasn't done just now. */
	update(): void {
		if (this.#works.length > 0 && performance.now() - this.#drawnMs >= BAR_REDRAW_MS) this.show(this.#works);
	}

	#keep(): void {
		if (this.#timer) return;
		if (shown.size === 0) process.once("exit", hideBars);
		shown.add(this);
		this.#timer = setInterval(() => this.update(), BAR_REDRAW_MS).unref();
	}

	#release(): void {
		clearInterval(this.#timer);
		this.#timer = undefined;
		shown.delete(this);
		if (shown.size === 0) process.removeListener("exit", hideBars);
	}
}

/** Formats a bar in at most `columns`. If they are too few, the counts are left out first, then the bar. */
function formatBar(work: Work, columns: number, nameColumns: number, paint: Paint): string {
	const percent = work.total > 0 ? `${Math.floor(work.share * 100)} %`.padStart(5) : "";
	const name = work.name.padEnd(nameColumns);
	for (const parts of [
		[percent, work.counts, work.eta],
		[percent, work.eta],
	]) {
		const text = parts.filter((part) => part !== "").join("  ");
		const width = Math.min(columns - name.length - 2 - text.length - 2, WIDEST_BAR);
		if (width < NARROWEST_BAR) continue;
		const done = Math.round(work.share * width);
		const bar = paint("cyan", `${"━".repeat(done)}${"─".repeat(width - done)}`);
		return [name, ...(work.total > 0 ? [bar] : []), text].join("  ");
	}
	return `${name}  ${percent}`.slice(0, columns);
}
