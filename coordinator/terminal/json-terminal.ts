import type { Notice } from "../../shared/notices.ts";
import type { WorkersChange } from "../cluster/dispatcher.ts";
import type { ClassifierEvaluation } from "../metrics/classifier-evaluation.ts";
import type { MetricsLine, RunResult } from "../run-folder/result.ts";
import type { Classification } from "./classification-lines.ts";
import { downloadProgress } from "./download.ts";
import type { Phase, Terminal, TerminalStream } from "./terminal.ts";
import { type TextsSummary, textsWarnings } from "./texts-lines.ts";
import { Work } from "./work.ts";

const PROGRESS_EVERY_MS = 1000;

/** One JSON object a line; `event` says what it is. */
export class JsonTerminal implements Terminal {
	readonly #stream: TerminalStream;
	readonly #now: () => number;

	constructor(stream: TerminalStream, now: () => number) {
		this.#stream = stream;
		this.#now = now;
	}

	phase(name: string, total: number, unit: string, startAt = 0): Phase {
		const work = new Work(name, total, unit, startAt, this.#now);
		let toldMs = this.#now();
		this.#tell("phase", { name, total, unit, done: startAt });
		return {
			advance: (units) => {
				work.advance(units);
				if (this.#now() - toldMs < PROGRESS_EVERY_MS) return;
				toldMs = this.#now();
				const { done, seconds, secondsLeft } = work;
				this.#tell("progress", { name, total, unit, done, seconds, secondsLeft });
			},
			done: () => this.#tell("phase-done", { name, total, unit, done: work.done, seconds: work.seconds }),
		};
	}

	download(name: string): (doneBytes: number, totalBytes: number) => void {
		return downloadProgress((total, startAt) => this.phase(name, total, "bytes", startAt));
	}

	line(text: string): void {
		this.#tell("line", { text });
	}

	warn(text: string): void {
		this.#tell("warning", { text });
	}

	notice(notice: Notice): void {
		this.#tell("notice", notice);
	}

	texts(summary: TextsSummary): void {
		const { classTexts, cut, maxTokens } = summary;
		this.#tell("texts", { classes: classTexts, cut, maxTokens });
		for (const text of textsWarnings(summary)) this.warn(text);
	}

	epoch(line: MetricsLine): void {
		this.#tell("epoch", line);
	}

	workers({ worker, shards, ...change }: WorkersChange): void {
		this.#tell("workers", { ...change, at: Date.now(), worker, shards: Object.fromEntries(shards) });
	}

	result(folder: string, result: RunResult): void {
		this.#tell("result", { folder, ...result });
	}

	evaluation(evaluation: ClassifierEvaluation): void {
		this.#tell("evaluation", evaluation);
	}

	classifications(results: readonly Classification[]): void {
		for (const result of results) this.#tell("classification", result);
	}

	#tell(event: string, fields: object): void {
		this.#stream.write(`${JSON.stringify({ event, ...fields })}\n`);
	}
}
