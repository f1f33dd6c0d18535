import { NATS_REQUEST_MS } from "../../deadlines.ts";
import { type RunProgress, runProgressCodec } from "../../messages.ts";
import type { Hold } from "../../notices.ts";
import { nobodyListens } from "../bus.ts";
import { Feed } from "../feed.ts";
import { isNoResponders, isTimeout, type NatsLink } from "./connection.ts";
import { expectId, type NatsStreams } from "./streams.ts";
import type { NatsNames } from "./subjects.ts";

/** What the desk works with. */
export interface RunDeskParts {
	readonly link: NatsLink;
	readonly names: NatsNames;
	readonly streams: NatsStreams;
	/** Told of what is in the bucket and is none of ours. */
	readonly refuse: (what: string, error: unknown) => void;
}

/** Where people ask how far runs have come, and ask them to stop. */
export class RunDesk {
	readonly #parts: RunDeskParts;
	/** Shows in the notices that the server doesn't take what is reported, as it then takes nothing else either. */
	readonly #hold: Hold;

	constructor(parts: RunDeskParts) {
		this.#parts = parts;
		this.#hold = parts.link.notices.hold();
	}

	/** A report that can't be sent is left out: the next one tells as much. */
	async report(progress: RunProgress): Promise<void> {
		const { link, names } = this.#parts;
		if (!link.isConnected) return this.#hold.end();
		await link.attempt(
			() => link.js.publish(names.progress(progress.runId), runProgressCodec.encode(progress)),
			this.#hold,
		);
	}

	/** What was told last of a run; undefined where that is too long ago, or none of ours. */
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

	/** @throws TailtuneError "offline" where no coordinator takes note of it */
	async cancel(runId: string): Promise<void> {
		const { link, names } = this.#parts;
		try {
			await link.nc.request(names.cancel(runId), undefined, { timeout: NATS_REQUEST_MS });
		} catch (error) {
			if (isNoResponders(error) || isTimeout(error)) throw nobodyListens(runId);
			throw error;
		}
	}

	/** Takes note of each request to stop a run, until `signal` aborts. */
	async *watchCancels(runId: string, signal: AbortSignal): AsyncGenerator<"cancel", void, undefined> {
		const { link, names } = this.#parts;
		const cancels = new Feed<never, "cancel">((event) => event);
		const subscription = link.nc.subscribe(names.cancel(runId), {
			callback: (error, message) => {
				if (error) link.log(`NATS: ${error.message}`);
				else if (cancels.tell("cancel") > 0) message.respond();
			},
		});
		try {
			yield* cancels.watch(signal);
		} finally {
			subscription.unsubscribe();
		}
	}
}
