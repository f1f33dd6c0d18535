import { NATS_REQUEST_MS } from "../../deadlines.ts";
import { type RunProgress, runProgressCodec } from "../../messages.ts";
import type { Hold } from "../../notices.ts";
import { coordinatorOffline } from "../bus.ts";
import { Feed } from "../feed.ts";
import { isNoResponders, isTimeout, type NatsLink } from "./connection.ts";
import { expectId, type NatsStreams } from "./streams.ts";
import type { NatsNames } from "./subjects.ts";

export interface ProgressAndCancelParts {
	readonly link: NatsLink;
	readonly names: NatsNames;
	readonly streams: NatsStreams;
	/** Counts and logs an entry that can't be decoded. */
	readonly refuse: (entry: string, error: unknown) => void;
}

/** Sends and reads the progress of runs, and requests to stop them. */
export class ProgressAndCancel {
	readonly #parts: ProgressAndCancelParts;
	/** Notice that the server doesn't accept reports: it then accepts no other messages either. */
	readonly #hold: Hold;

	constructor(parts: ProgressAndCancelParts) {
		this.#parts = parts;
		this.#hold = parts.link.notices.hold();
	}

	/** Publishes the progress. A report that can't be sent is skipped: the next one replaces it. */
	async report(progress: RunProgress): Promise<void> {
		const { link, names } = this.#parts;
		if (!link.isConnected) return this.#hold.end();
		await link.attempt(
			() => link.js.publish(names.progress(progress.runId), runProgressCodec.encode(progress)),
			this.#hold,
		);
	}

	/** Returns the last report of a run; undefined if it has expired or can't be decoded. */
	async progress(runId: string): Promise<RunProgress | undefined> {
		const { link, names, streams, refuse } = this.#parts;
		const entry = await link.persist(() => streams.last(names.progressStream, names.progress(runId)));
		if (!entry) return undefined;
		try {
			const progress = runProgressCodec.decode(entry.data);
			expectId("a progress of run", progress.runId, runId);
			return progress;
		} catch (error) {
			refuse(names.progress(runId), error);
			return undefined;
		}
	}

	/** Requests a run to stop. @throws TailtuneError "offline" if no coordinator confirms the request */
	async cancel(runId: string): Promise<void> {
		const { link, names } = this.#parts;
		try {
			await link.nc.request(names.cancel(runId), undefined, { timeout: NATS_REQUEST_MS });
		} catch (error) {
			if (isNoResponders(error) || isTimeout(error)) throw coordinatorOffline(runId);
			throw error;
		}
	}

	/** Confirms and yields each request to stop a run, until `signal` aborts. */
	async *watchCancels(runId: string, signal: AbortSignal): AsyncGenerator<"cancel", void, undefined> {
		const { link, names } = this.#parts;
		const cancels = new Feed<never, "cancel">((event) => event);
		const subscription = link.nc.subscribe(names.cancel(runId), {
			callback: (error, message) => {
				if (error) link.log(`NATS: ${error.message}`);
				else if (cancels.emit("cancel") > 0) message.respond();
			},
		});
		try {
			yield* cancels.watch(signal);
		} finally {
			subscription.unsubscribe();
		}
	}
}
