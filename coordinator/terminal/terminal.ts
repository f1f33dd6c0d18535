import { systemCodeOf } from "../../shared/errors.ts";
import type { Notice } from "../../shared/notices.ts";
import type { WorkersChange } from "../cluster/dispatcher.ts";
import type { ClassifierEvaluation } from "../metrics/classifier-evaluation.ts";
import type { MetricsLine, RunResult } from "../run-folder/result.ts";
import type { Classification } from "./classification-lines.ts";
import { HumanTerminal } from "./human-terminal.ts";
import { JsonTerminal } from "./json-terminal.ts";
import type { TextsSummary } from "./texts-lines.ts";

/** A piece of work that takes its time. */
export interface Phase {
	/** So many more units are done. */
	advance(units: number): void;
	/** It is over; what was shown of it goes. */
	done(): void;
}

/** Where a command tells what it does. */
export interface Terminal {
	/**
	 * Shows the progress of a piece of work; one begun within another is shown instead of it until it is done.
	 * @param total units of work, each of which takes about as long as another; 0 where unknown
	 * @param unit as in "tokens", "steps", "bytes"
	 * @param startAt units done by an earlier process: they count for the share, not for the speed; default 0
	 */
	phase(name: string, total: number, unit: string, startAt?: number): Phase;
	/**
	 * Shows a download as a phase, from the first report on. One that fails needs no end: the next phase takes its place.
	 * @returns to be called with the bytes that are there, and the bytes in all
	 */
	download(name: string): (doneBytes: number, totalBytes: number) => void;
	line(text: string): void;
	warn(text: string): void;
	/** Shows what holds the command up, or that it no longer does. */
	notice(notice: Notice): void;
	/** What a run's texts are, and which of them it does not use. */
	texts(summary: TextsSummary): void;
	/** An epoch's end. */
	epoch(line: MetricsLine): void;
	/** A worker that joined a run or left it. @param shards of the run */
	workers(change: WorkersChange, shards: number): void;
	/** What a run reached. @param folder of the run */
	result(folder: string, result: RunResult): void;
	/** How a model does on labelled texts. */
	evaluation(evaluation: ClassifierEvaluation): void;
	classifications(results: readonly Classification[]): void;
}

/** The stream of a terminal; bars and colours where it says that it is one. */
export type TerminalStream = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

export interface TerminalOptions {
	/** One JSON object a line and nothing else. */
	readonly json?: boolean | undefined;
	/** Warnings and results only. */
	readonly quiet?: boolean | undefined;
	/** Default: stdout. */
	readonly stream?: TerminalStream | undefined;
	/** Default: the process's. */
	readonly env?: NodeJS.ProcessEnv | undefined;
	/** Milliseconds that never go back. Default: since the process began. */
	readonly now?: (() => number) | undefined;
}

/** Bars on a terminal, plain lines elsewhere, or JSON. */
export function createTerminal(options: TerminalOptions = {}): Terminal {
	const { stream = process.stdout, env = process.env, now = () => performance.now(), json, quiet = false } = options;
	// Where the reader goes away, as `head` does, the run goes on.
	stream.on("error", (error) => {
		if (systemCodeOf(error) !== "EPIPE") throw error;
	});
	return json ? new JsonTerminal(stream, now) : new HumanTerminal({ stream, env, now, quiet });
}
