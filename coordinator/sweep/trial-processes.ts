import { TailtuneError } from "../../shared/errors.ts";
import { TailtuneProcess } from "../../shared/processes/tailtune-process.ts";
import { fromSentError, toSentError } from "../../shared/sent-error.ts";
import { TRIAL_PROCESS_STOP_MS } from "../deadlines.ts";
import { PausedRun } from "../training/interruption.ts";
import type { RunTrial, TrialHooks, TrialJob } from "./trial-job.ts";
import type { FromTrial, ToTrial } from "./trial-messages.ts";
import { type Machine, TrialShares } from "./trial-shares.ts";

/** The process of a trial died. The trial can be resumed in another one. */
export class LostProcess extends TailtuneError {}

/** Processes that train the trials of a sweep. They are kept, because loading program and libraries takes seconds. */
export class TrialProcesses {
	readonly #args: readonly string[];
	readonly #shares: TrialShares;
	readonly #all = new Set<TrialProcess>();
	readonly #idle: TrialProcess[] = [];

	/** @param args command and flags of a process; the command must call `serveTrials` */
	constructor(args: readonly string[], machine: Machine) {
		this.#args = args;
		this.#shares = new TrialShares(machine);
	}

	/** Trains a trial in an idle process, or in a new one. */
	readonly run: RunTrial = async (job, hooks) => {
		const trial = this.#idle.pop() ?? new TrialProcess(this.#args);
		this.#all.add(trial);
		try {
			await trial.run(job, hooks, this.#shares);
		} catch (error) {
			if (error instanceof LostProcess) this.#all.delete(trial);
			throw error;
		} finally {
			this.#shares.leave(trial);
			if (this.#all.has(trial)) this.#idle.push(trial);
		}
	};

	/** Ends all processes. */
	async close(): Promise<void> {
		await Promise.all([...this.#all].map((trial) => trial.stop()));
	}
}

class TrialProcess {
	readonly #process: TailtuneProcess;
	#onMessage = (_: FromTrial): void => {};
	#onLine = (_: string): void => {};

	constructor(args: readonly string[]) {
		this.#process = new TailtuneProcess({
			args,
			env: process.env,
			stopMs: TRIAL_PROCESS_STOP_MS,
			onMessage: (message) => this.#onMessage(message as FromTrial),
			onLine: (line) => this.#onLine(line),
		});
	}

	async run(job: TrialJob, hooks: TrialHooks, shares: TrialShares): Promise<void> {
		const interrupt = () => this.#process.interrupt();
		hooks.interrupt.addEventListener("abort", interrupt);
		try {
			await new Promise<void>((resolve, reject) => {
				void this.#process.ended.then(({ how }) => reject(lossOf(job, hooks, how)));
				this.#onLine = (line) => hooks.events.line(line);
				this.#onMessage = (message) => {
					if (message.kind !== "ended") this.#answer(message, job, hooks, shares);
					else if (message.isPaused) reject(new PausedRun());
					else if (message.error) reject(fromSentError(message.error));
					else resolve();
				};
				this.#send({ kind: "job", job, commandLine: process.argv.slice(2) });
				if (hooks.interrupt.aborted) interrupt();
			});
		} finally {
			hooks.interrupt.removeEventListener("abort", interrupt);
		}
	}

	async stop(): Promise<void> {
		await this.#process.stop();
	}

	#answer(
		message: Exclude<FromTrial, { kind: "ended" }>,
		job: TrialJob,
		{ events, onTexts, onBegin }: TrialHooks,
		shares: TrialShares,
	): void {
		switch (message.kind) {
			case "event":
				events.emit(message.event);
				break;
			case "texts":
				this.#send({ kind: "texts", ...refusalOf(() => onTexts(message.hash)) });
				break;
			case "begin":
				shares.enter(this, message.needs, job.left, (share) => {
					this.#send({ kind: "begin", share });
					onBegin(share.atOnce);
				});
				break;
			case "prepared":
				shares.finishFeatures(this);
		}
	}

	#send(message: ToTrial): void {
		this.#process.send(message);
	}
}

/** Returns the error of a check, as a part of a message. */
function refusalOf(check: () => void): Pick<Extract<ToTrial, { kind: "texts" }>, "error"> {
	try {
		check();
		return {};
	} catch (error) {
		return { error: toSentError(error) };
	}
}

/** A process that was asked to end may end at once, while it reads its inputs. */
function lossOf({ path }: TrialJob, { interrupt }: TrialHooks, how: string): TailtuneError {
	if (interrupt.aborted) return new TailtuneError("interrupted", `${path}: stopped`);
	return new LostProcess("engine", `${path}: the process of this trial died with ${how}`);
}
