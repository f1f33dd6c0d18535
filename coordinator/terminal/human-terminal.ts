import { describeNotice, type Notice } from "../../shared/notices.ts";
import type { WorkersChange } from "../cluster/dispatcher.ts";
import type { ClassifierEvaluation } from "../metrics/classifier-evaluation.ts";
import type { MetricsLine, RunResult } from "../run-folder/result.ts";
import { Bar } from "./bar.ts";
import { type Classification, classificationLines } from "./classification-lines.ts";
import { downloadProgress } from "./download.ts";
import { evaluationLines } from "./evaluation-lines.ts";
import { createPaint, type Paint } from "./paint.ts";
import { printable } from "./printable.ts";
import { EPOCH_HEAD, epochLine, resultLines } from "./tables.ts";
import type { Phase, Terminal, TerminalStream } from "./terminal.ts";
import { type TextsSummary, textsLines, textsWarnings } from "./texts-lines.ts";
import { Work } from "./work.ts";
import { workersLine } from "./worker-lines.ts";

const PLAIN_LINE_EVERY_MS = 5000;

/** How the phases that are under way show. */
interface ProgressView {
	begin(work: Work): void;
	advance(work: Work): void;
	end(work: Work): void;
	/** Makes room for a line, has it written, and shows again what was there. */
	around(write: () => void): void;
}

interface HumanOptions {
	readonly stream: TerminalStream;
	readonly env: NodeJS.ProcessEnv;
	readonly now: () => number;
	readonly quiet: boolean;
}

/** Lines for people, with a bar at the bottom where there is a terminal. */
export class HumanTerminal implements Terminal {
	readonly #stream: TerminalStream;
	readonly #paint: Paint;
	readonly #now: () => number;
	readonly #quiet: boolean;
	readonly #view: ProgressView;
	readonly #open = new Set<Work>();
	#hasEpochHead = false;
	/** The download begun last, which may have failed since. */
	#download: Work | undefined;

	constructor({ stream, env, now, quiet }: HumanOptions) {
		const canMove = stream.isTTY === true && env.TERM !== "dumb";
		this.#stream = stream;
		this.#paint = createPaint(canMove, env);
		this.#now = now;
		this.#quiet = quiet;
		this.#view = canMove ? new BarView(stream, this.#paint) : new PlainView((text) => this.#write(text), now);
	}

	phase(name: string, total: number, unit: string, startAt = 0): Phase {
		return this.#begin(new Work(printable(name), total, unit, startAt, this.#now));
	}

	download(name: string): (doneBytes: number, totalBytes: number) => void {
		return downloadProgress((total, startAt) => {
			const work = new Work(printable(name), total, "bytes", startAt, this.#now);
			const phase = this.#begin(work);
			this.#download = work;
			return phase;
		});
	}

	#begin(work: Work): Phase {
		if (this.#quiet) return { advance: () => {}, done: () => {} };
		if (this.#download) this.#end(this.#download);
		this.#open.add(work);
		this.#view.begin(work);
		return {
			advance: (units) => {
				work.advance(units);
				this.#view.advance(work);
			},
			done: () => {
				this.#end(work);
				// What is part of something longer tells nothing when it ends.
				if (this.#open.size === 0) this.line(`${work.name.padEnd(10)}  ${work.summary}`);
			},
		};
	}

	#end(work: Work): void {
		this.#open.delete(work);
		this.#view.end(work);
		if (work === this.#download) this.#download = undefined;
	}

	line(text: string): void {
		if (!this.#quiet) this.#print(printable(text));
	}

	warn(text: string): void {
		this.#print(`${this.#paint("yellow", "warning:")} ${printable(text)}`);
	}

	notice(notice: Notice): void {
		if (notice.state === "begun") this.warn(describeNotice(notice));
		else this.#print(printable(describeNotice(notice)));
	}

	texts(summary: TextsSummary): void {
		for (const text of textsLines(summary)) this.line(text);
		for (const text of textsWarnings(summary)) this.warn(text);
	}

	epoch(line: MetricsLine): void {
		if (this.#quiet) return;
		if (!this.#hasEpochHead) this.#print(this.#paint("dim", EPOCH_HEAD));
		this.#hasEpochHead = true;
		this.#print(epochLine(line));
	}

	workers(change: WorkersChange, shards: number): void {
		this.line(workersLine(change, shards));
	}

	result(folder: string, result: RunResult): void {
		for (const text of resultLines(folder, result, this.#paint)) this.#print(text);
	}

	evaluation(evaluation: ClassifierEvaluation): void {
		for (const text of evaluationLines(evaluation, this.#paint)) this.#print(text);
	}

	classifications(results: readonly Classification[]): void {
		for (const text of classificationLines(results)) this.#print(text);
	}

	#print(text: string): void {
		this.#view.around(() => this.#write(text));
	}

	#write(text: string): void {
		this.#stream.write(`${text}\n`);
	}
}

/** A bar for the phase begun last. */
class BarView implements ProgressView {
	readonly #stream: TerminalStream;
	readonly #paint: Paint;
	readonly #bars = new Map<Work, Bar>();

	constructor(stream: TerminalStream, paint: Paint) {
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

/** A line now and then. */
class PlainView implements ProgressView {
	readonly #write: (text: string) => void;
	readonly #now: () => number;
	#toldMs = 0;

	constructor(write: (text: string) => void, now: () => number) {
		this.#write = write;
		this.#now = now;
	}

	begin(): void {
		this.#toldMs = this.#now();
	}

	advance(work: Work): void {
		if (this.#now() - this.#toldMs < PLAIN_LINE_EVERY_MS || work.share === 1) return;
		this.#toldMs = this.#now();
		const percent = work.total > 0 ? `${Math.floor(work.share * 100)} %, ` : "";
		const eta = work.eta ? `, ${work.eta}` : "";
		this.#write(`${work.name.padEnd(10)}  ${percent}${work.counts}${eta}`);
	}

	end(): void {}

	around(write: () => void): void {
		write();
	}
}
