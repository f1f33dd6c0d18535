import { createInbox, type Msg, nanos, type Subscription } from "nats";
import { NATS_PULL_MS, NATS_PULL_RETRY_MS, NATS_PULL_SLACK_MS } from "../../deadlines.ts";
import type { NatsLink } from "./connection.ts";

/** Replies to a delivery, defined by JetStream's protocol. */
export const ACK = "+ACK";
export const NAK = "-NAK";
export const WORKING = "+WPI";
export const TERM = "+TERM";

const PULL_REQUEST = Buffer.from(JSON.stringify({ batch: 1, expires: nanos(NATS_PULL_MS) }));

/**
 * Replies to a delivery, if there is a connection. If the reply is lost, the item is only delivered again.
 * @param reply the delivery's subject for replies
 */
export function respond({ isConnected, nc }: NatsLink, reply: string | undefined, payload: string): void {
	if (!isConnected || !reply) return;
	try {
		nc.publish(reply, payload);
	} catch {
		// The connection is closed: nothing waits for the reply.
	}
}

/** A durable pull consumer of a stream. */
export interface PullSource {
	readonly stream: string;
	readonly consumer: string;
	readonly inboxPrefix: string;
}

/** A message of a consumer. */
export interface Pulled {
	readonly message: Msg;
	/** Requests the next message before the loop asks for it. */
	requestNext(): void;
}

/**
 * Yields the messages of a durable pull consumer, one at a time: the next one is requested when the loop asks for it.
 * Sends the request again after a reconnection and if the consumer doesn't exist, until `signal` aborts. Returns a
 * message that arrives after the end to the consumer.
 */
export async function* pullMessages(
	link: NatsLink,
	source: PullSource,
	signal: AbortSignal,
): AsyncGenerator<Pulled, void, undefined> {
	const inbox = new PullInbox(link, source);
	const wake = () => inbox.wake();
	const requestNext = () => {
		if (!signal.aborted && inbox.isRequestDue) inbox.request();
	};
	const offConnected = link.on("connected", () => inbox.requestAgain());
	signal.addEventListener("abort", wake);
	try {
		while (!signal.aborted) {
			const message = inbox.next();
			if (message) yield { message, requestNext };
			else if (inbox.isRequestDue) inbox.request();
			else await inbox.wait();
		}
	} finally {
		signal.removeEventListener("abort", wake);
		offConnected();
		inbox.close();
	}
}

/** Requests messages of a consumer and queues those that arrive. */
class PullInbox {
	readonly #link: NatsLink;
	readonly #requestSubject: string;
	readonly #arrived: Msg[] = [];
	readonly #subject: string;
	readonly #subscription: Subscription;
	#requestAtMs = 0;
	#wake = () => {};

	constructor(link: NatsLink, { stream, consumer, inboxPrefix }: PullSource) {
		this.#link = link;
		this.#requestSubject = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`;
		this.#subject = createInbox(inboxPrefix);
		this.#subscription = link.nc.subscribe(this.#subject, {
			callback: (error, message) => {
				if (error) link.log(`NATS: ${error.message}`);
				else this.#arrived.push(message);
				this.#wake();
			},
		});
	}

	get isRequestDue(): boolean {
		return performance.now() >= this.#requestAtMs;
	}

	/** Returns the next message that arrived, if any; the time of the next request follows from it. */
	next(): Msg | undefined {
		for (let message = this.#arrived.shift(); message; message = this.#arrived.shift()) {
			if (!isStatus(message)) {
				this.#requestAtMs = 0;
				return message;
			}
			// The request has expired: repeat it at once. After other errors, such as a missing consumer, wait first.
			const isExpired = ["404", "408"].includes(codeOf(message));
			this.#requestAtMs = isExpired ? 0 : performance.now() + NATS_PULL_RETRY_MS;
		}
		return undefined;
	}

	request(): void {
		this.#link.nc.publish(this.#requestSubject, PULL_REQUEST, { reply: this.#subject });
		this.#requestAtMs = performance.now() + NATS_PULL_MS + NATS_PULL_SLACK_MS;
	}

	requestAgain(): void {
		this.#requestAtMs = 0;
		this.#wake();
	}

	/** Waits until a message arrives, the next request is due, or `wake` is called. */
	async wait(): Promise<void> {
		const woken = new Promise<void>((resolve) => {
			this.#wake = resolve;
		});
		const timer = setTimeout(this.#wake, this.#requestAtMs - performance.now());
		await woken;
		clearTimeout(timer);
	}

	wake(): void {
		this.#wake();
	}

	close(): void {
		returnUnread(this.#link, this.#subscription.drain(), this.#arrived);
	}
}

/** Returns messages that were not read to the consumer, after the last one has arrived. */
function returnUnread(link: NatsLink, drained: Promise<void>, arrived: readonly Msg[]): void {
	drained
		.catch(() => {})
		.then(() => {
			for (const message of arrived) if (!isStatus(message)) respond(link, message.reply, NAK);
		})
		.catch(() => {});
}

/** Whether a message is the server's status of the request. An item may look like one, but it has a reply subject. */
function isStatus(message: Msg): boolean {
	return message.reply === undefined || message.reply === "";
}

function codeOf(message: Msg): string {
	return String(message.headers?.code ?? 0);
}
