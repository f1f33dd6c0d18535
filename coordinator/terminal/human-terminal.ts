import { describeNotice } from "../../shared/notices.ts";
import { printable } from "../../shared/printable.ts";
import type { RunEvent } from "../events/schemas.ts";
import { Bar } from "./bar.ts";
import { classificationLines, classifiedLines } from "./classification-lines.ts";
import { evaluationLines } from "./evaluation-lines.ts";
import { createPaint, type Paint } from "./paint.ts";
import { BarView, PlainView, type ProgressView } from "./progress-views.ts";
import { sweepLines, trialLines } from "./sweep-lines.ts";
import { EPOCH_HEAD, epochLine, resultLines } from "./tables.ts";
import type { TerminalStream } from "./terminal-stream.ts";
import { textsLines } from "./texts-lines.ts";
import { keyOfPhase, Work } from "./work.ts";
import { workersLine } from "./worker-lines.ts";

interface HumanOptions {
	readonly stream: TerminalStream;
	readonly env: NodeJS.ProcessEnv;
	readonly now: () => number;
}

/** Prints events as lines for people, with a bar at the bottom if the stream is a terminal. */
export class HumanTerminal {
	readonly #paint: Paint;
	readonly #now: () => number;
	readonly #view: ProgressView;
	/** The running phases, by trial and name. */
	readonly #open = new Map<string, Work>();
	#hasEpochHead = false;

	constructor({ stream, env, now }: HumanOptions) {
		const canMove = stream.isTTY === true && env.TERM !== "dumb";
		this.#paint = createPaint(canMove, env);
		this.#now = now;
		this.#view = canMove ? new BarView(new Bar(stream, env, this.#paint)) : new PlainView(stream, now);
	}

	show(event: RunEvent): void {
		switch (event.event) {
			case "phase":
				this.#begin(keyOfPhase(event), new Work(event, this.#now));
				break;
			case "progress":
				this.#advance(keyOfPhase(event), event.done);
				break;
			case "phase-done":
				this.#end(keyOfPhase(event), (work) =>
					this.#print(`${work.name.padEnd(10)}  ${work.summarize(event.seconds)}`),
				);
				break;
			case "phase-failed":
				this.#end(keyOfPhase(event));
				break;
			default:
				for (const line of this.#linesOf(event)) this.#print(line);
		}
	}

	#linesOf(event: RunEvent): string[] {
		switch (event.event) {
			case "line":
				return [printable(event.text)];
			case "warning":
				return [this.#warning(event.text)];
			case "notice": {
				const text = describeNotice(event);
				return [event.state === "begun" ? this.#warning(text) : printable(text)];
			}
			case "texts":
				return textsLines(event).map(printable);
			case "worker-joined":
			case "worker-left":
			case "worker-suspended":
				return [printable(workersLine(event))];
			case "epoch":
				return [...this.#epochHead(), epochLine(event)];
			case "result":
				return resultLines(event.folder, event, this.#paint);
			case "trial":
				this.#endTrial(event.number);
				return trialLines(event);
			case "sweep":
				return sweepLines(event.folder, event, this.#paint);
			case "evaluation":
				return evaluationLines(event, this.#paint);
			case "classifications":
				return classificationLines(event.results);
			case "classified":
				return classifiedLines(event);
			default:
				return [];
		}
	}

	/** Returns the head of the table of epochs the first time. */
	#epochHead(): string[] {
		if (this.#hasEpochHead) return [];
		this.#hasEpochHead = true;
		return [this.#paint("dim", EPOCH_HEAD)];
	}

	#warning(text: string): string {
		return `${this.#paint("yellow", "warning:")} ${printable(text)}`;
	}

	#begin(key: string, work: Work): void {
		this.#end(key);
		this.#open.set(key, work);
		this.#view.begin(work);
	}

	#advance(key: string, done: number): void {
		const work = this.#open.get(key);
		if (!work) return;
		work.done = done;
		this.#view.advance(work);
	}

	/** Ends a phase if it is running. @param summarise called if the phase is not part of a longer one */
	#end(key: string, summarise: (work: Work) => void = () => {}): void {
		const work = this.#open.get(key);
		if (!work) return;
		this.#open.delete(key);
		this.#view.end(work);
		if (this.#open.size === 0) summarise(work);
	}

	/** Ends the phases of a trial; they are still open if its run failed. */
	#endTrial(number: number): void {
		for (const [key, { trial }] of [...this.#open]) if (trial === number) this.#end(key);
	}

	#print(text: string): void {
		this.#view.write(`${text}\n`);
	}
}
