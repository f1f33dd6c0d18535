import { debuglog } from "node:util";
import type { RunProgress } from "../../shared/messages.ts";
import type { Terminal } from "../terminal/terminal.ts";

const EVERY_MS = 1000;

const log = debuglog("tailtune");

/** Tells over the bus what the terminal shows of a run, now and about every second; the run never waits for it. */
export class ProgressReporter {
	/** To be used in the place of the terminal given. */
	readonly terminal: Terminal;
	readonly #report: (progress: RunProgress) => Promise<void>;
	readonly #timer: NodeJS.Timeout;
	#progress: RunProgress;
	#isTelling = false;

	constructor(terminal: Terminal, progress: RunProgress, report: (progress: RunProgress) => Promise<void>) {
		this.#progress = progress;
		this.#report = report;
		this.terminal = this.#listenTo(terminal);
		this.#timer = setInterval(() => this.#tell(), EVERY_MS).unref();
		this.#tell();
	}

	end(): void {
		clearInterval(this.#timer);
	}

	#listenTo(terminal: Terminal): Terminal {
		return {
			phase: (name, total, unit, startAt = 0) => {
				const shown = terminal.phase(name, total, unit, startAt);
				let done = startAt;
				this.#note({ phase: name, done, total, unit });
				const advance = (units: number) => {
					shown.advance(units);
					done += units;
					this.#note({ done });
				};
				return { advance, done: () => shown.done() };
			},
			epoch: (line) => {
				terminal.epoch(line);
				this.#note({ epoch: line.epoch, validation: line.validation });
			},
			download: (name) => terminal.download(name),
			line: (text) => terminal.line(text),
			warn: (text) => terminal.warn(text),
			texts: (summary) => terminal.texts(summary),
			notice: (notice) => terminal.notice(notice),
			workers: (change, shards) => terminal.workers(change, shards),
			result: (folder, result) => terminal.result(folder, result),
			evaluation: (evaluation) => terminal.evaluation(evaluation),
			classifications: (results) => terminal.classifications(results),
		};
	}

	#note(news: Partial<RunProgress>): void {
		this.#progress = { ...this.#progress, ...news };
	}

	#tell(): void {
		if (this.#isTelling) return;
		this.#isTelling = true;
		this.#report(this.#progress)
			.catch((error) => log("run %s: progress can't be told: %s", this.#progress.runId, error))
			.finally(() => {
				this.#isTelling = false;
			});
	}
}
