import { PROGRESS_LINE_MS } from "../../shared/deadlines.ts";
import type { Bar } from "./bar.ts";
import type { Work } from "./work.ts";

/** Shows the running phases. */
export interface ProgressView {
	begin(work: Work): void;
	advance(work: Work): void;
	end(work: Work): void;
	/** Writes whole lines, above the bar if there is one. */
	write(lines: string): void;
}

/** Shows a bar for the phase that began last, and one for each trial of a sweep that runs. */
export class BarView implements ProgressView {
	readonly #bar: Bar;
	readonly #works = new Set<Work>();

	constructor(bar: Bar) {
		this.#bar = bar;
	}

	begin(work: Work): void {
		this.#works.add(work);
		this.#bar.show(this.#tops);
	}

	advance(): void {
		this.#bar.update();
	}

	end(work: Work): void {
		this.#works.delete(work);
		this.#bar.show(this.#tops);
	}

	write(lines: string): void {
		this.#bar.show(this.#tops, lines);
	}

	/** The last phase of each trial, in their order, and that of the command. */
	get #tops(): Work[] {
		const tops = new Map([...this.#works].map((work) => [work.trial || Number.POSITIVE_INFINITY, work]));
		return [...tops].sort(([a], [b]) => a - b).map(([, work]) => work);
	}
}

/** Writes one line every few seconds. */
export class PlainView implements ProgressView {
	readonly #stream: NodeJS.WritableStream;
	readonly #now: () => number;
	#shownMs = 0;

	constructor(stream: NodeJS.WritableStream, now: () => number) {
		this.#stream = stream;
		this.#now = now;
	}

	begin(): void {
		this.#shownMs = this.#now();
	}

	advance(work: Work): void {
		if (this.#now() - this.#shownMs < PROGRESS_LINE_MS || work.share === 1) return;
		this.#shownMs = this.#now();
		const percent = work.total > 0 ? `${Math.floor(work.share * 100)} %, ` : "";
		const eta = work.eta ? `, ${work.eta}` : "";
		this.write(`${work.name.padEnd(10)}  ${percent}${work.counts}${eta}\n`);
	}

	end(): void {}

	write(lines: string): void {
		this.#stream.write(lines);
	}
}
