import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { TailtuneError } from "../../shared/errors.ts";
import { VIEWER_END_MS, VIEWER_MESSAGE_MS, VIEWER_RETURN_MS } from "../deadlines.ts";
import { type DashboardState, INITIAL_STATE } from "./dashboard-state.ts";
import { changesBetween, type StateChanges, wholeState } from "./state-changes.ts";

/** Most viewers at the same time. */
export const MOST_VIEWERS = 100;

/** With more viewers, messages are rarer, so that all viewers together cost the run little. */
const MANY_VIEWERS = 12;

/** A viewer for which more bytes wait is disconnected; its page connects again and gets the whole state. */
const MOST_WAITING_BYTES = 4 << 20;

/** Response headers of the events; written here, because these responses don't pass through hono. */
const HEADERS = {
	"content-type": "text/event-stream",
	"cache-control": "no-store",
	"x-content-type-options": "nosniff",
};

/** Sends the state to open pages: first the whole state, then changes, as server-sent events. */
export class Viewers {
	readonly #viewers = new Set<ServerResponse>();
	readonly #onLeave = new Set<() => void>();
	#state: DashboardState = INITIAL_STATE;
	/** The state that every viewer has. */
	#sent: DashboardState = INITIAL_STATE;
	#timer: NodeJS.Timeout | undefined;

	/** Number of viewers. */
	get count(): number {
		return this.#viewers.size;
	}

	/** Sends a new state soon. It may be called often: several changes become one message. */
	show(state: DashboardState): void {
		this.#state = state;
		if (this.#viewers.size === 0) return;
		const ms = VIEWER_MESSAGE_MS * Math.max(1, this.#viewers.size / MANY_VIEWERS);
		this.#timer ??= setTimeout(() => this.flush(), ms).unref();
	}

	/**
	 * Adds a viewer and sends it the whole state, unless it has already left.
	 * @throws TailtuneError "busy" if there are too many
	 */
	add(response: ServerResponse): void {
		if (response.destroyed) return;
		if (this.#viewers.size >= MOST_VIEWERS)
			throw new TailtuneError("busy", `found ${MOST_VIEWERS} viewers already, expected fewer; close a page`);
		this.flush();
		response.writeHead(200, HEADERS);
		this.#viewers.add(response);
		response.once("close", () => {
			this.#viewers.delete(response);
			for (const callback of [...this.#onLeave]) callback();
		});
		this.#send(response, messageOf("state", wholeState(this.#state)));
	}

	/** Sends the changes now. */
	flush(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		const changes = changesBetween(this.#sent, this.#state);
		this.#sent = this.#state;
		if (!changes) return;
		const message = messageOf("change", changes);
		for (const viewer of [...this.#viewers]) this.#send(viewer, message);
	}

	/** Waits until there have been no viewers for a moment, or the signal aborts. */
	async waitUntilGone(signal: AbortSignal): Promise<void> {
		while (!signal.aborted && this.#viewers.size > 0) {
			await this.#nextLeave(signal);
			if (this.#viewers.size === 0) await sleep(VIEWER_RETURN_MS, undefined, { signal }).catch(() => {});
		}
	}

	/** Sends the last changes and ends all responses. A viewer that doesn't take them in time is disconnected. */
	async end(): Promise<void> {
		this.flush();
		await Promise.all([...this.#viewers].map(endResponse));
	}

	#send(viewer: ServerResponse, message: string): void {
		if (viewer.writableLength > MOST_WAITING_BYTES) viewer.destroy();
		else viewer.write(message);
	}

	#nextLeave(signal: AbortSignal): Promise<void> {
		return new Promise((resolve) => {
			const done = () => {
				this.#onLeave.delete(done);
				signal.removeEventListener("abort", done);
				resolve();
			};
			this.#onLeave.add(done);
			signal.addEventListener("abort", done);
		});
	}
}

function endResponse(viewer: ServerResponse): Promise<void> {
	return new Promise((resolve) => {
		const timer = setTimeout(() => viewer.destroy(), VIEWER_END_MS);
		viewer.once("close", () => {
			clearTimeout(timer);
			resolve();
		});
		viewer.end();
	});
}

function messageOf(event: "state" | "change", data: StateChanges): string {
	return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
