import type { ServerResponse } from "node:http";
import { RUN_FILES_MS } from "../deadlines.ts";
import { fingerprintRun } from "../run-folder/fingerprint-run.ts";
import { readRunState } from "./run-files.ts";
import { Viewers } from "./viewers.ts";

/** The viewers of runs in a folder. The files of a run are read again when they change, as long as a page shows it. */
export class FolderViewers {
	readonly #runs = new Map<string, FollowedRun>();

	/** Adds a viewer of a run. @throws TailtuneError if the run's files can't be read, or there are too many viewers */
	async add(folder: string, response: ServerResponse): Promise<void> {
		const run = this.#runs.get(folder) ?? new FollowedRun(folder);
		this.#runs.set(folder, run);
		const dropIfIdle = () => {
			if (!run.isIdle || this.#runs.get(folder) !== run) return;
			this.#runs.delete(folder);
			run.stop();
		};
		try {
			await run.add(response);
			response.once("close", dropIfIdle);
		} finally {
			dropIfIdle();
		}
	}

	/** Ends all responses. */
	async end(): Promise<void> {
		await Promise.all([...this.#runs.values()].map((run) => run.end()));
	}
}

class FollowedRun {
	readonly #folder: string;
	readonly #viewers = new Viewers();
	readonly #timer: NodeJS.Timeout;
	#fingerprint = "";
	/** Number of viewers for which the files are being read. */
	#added = 0;

	constructor(folder: string) {
		this.#folder = folder;
		// A file that is replaced at this moment is read the next time.
		this.#timer = setInterval(() => void this.#read().catch(() => {}), RUN_FILES_MS).unref();
	}

	get isIdle(): boolean {
		return this.#viewers.count === 0 && this.#added === 0;
	}

	async add(response: ServerResponse): Promise<void> {
		this.#added++;
		try {
			await this.#read();
			this.#viewers.add(response);
		} finally {
			this.#added--;
		}
	}

	/** Doesn't read the files any more. */
	stop(): void {
		clearInterval(this.#timer);
	}

	async end(): Promise<void> {
		this.stop();
		await this.#viewers.end();
	}

	async #read(): Promise<void> {
		const fingerprint = await fingerprintRun(this.#folder);
		if (fingerprint === this.#fingerprint) return;
		this.#viewers.show(await readRunState(this.#folder));
		this.#fingerprint = fingerprint;
	}
}
