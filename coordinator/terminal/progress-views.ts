import { PROGRESS_LINE_MS } from "../../shared/deadlines.ts";
import { Bar } from "./bar.ts";
import type { Paint } from "./paint.ts";
import type { Work } from "./work.ts";

/** Shows the running phases. */
export interface ProgressView {
	begin(work: Work): void;
	advance(work: Work): void;
	end(work: Work): void;
	/** Calls `write`, which writes a line above the bar. */
	around(write: () => void): void;
}

/** Shows a bar for the phase that began last. */
export class BarView implements ProgressView {
	readonly #stream: NodeJS.WritableStream;
	readonly #paint: Paint;
	readonly #bars = new Map<Work, Bar>();

	constructor(stream: NodeJS.WritableStream, paint: Paint) {
		this.#stream = stream;
		this.#paint = paint;
	}

	begin(work: Work): void {
		this.#top?.hide();
		this.#bars.set(work, new Bar(work, this.#stream, this.#paint));
		this.#top?.show();
	}

	advance(work: Work): void {
		this.#bars.get(work)?.update();
	}

	end(work: Work): void {
		this.#top?.hide();
		this.#bars.delete(work);
		this.#top?.show();
	}

	around(write: () => void): void {
		this.#top?.hide();
		write();
		this.#top?.show();
	}

	get #top(): Bar | undefined {
		return [...this.#bars.values()].at(-1);
	}
}

/** Writes one line every few seconds. */
export class PlainView implements ProgressView {
	readonly #write: (text: string) => void;
	readonly #now: () => number;
	#shownMs = 0;

	constructor(write: (text: string) => void, now: () => number) {
		this.#write = write;
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
		this.#write(`${work.name.padEnd(10)}  ${percent}${work.counts}${eta}`);
	}

	end(): void {}

	around(write: () => void): void {
		write();
	}
}
