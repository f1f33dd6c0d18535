import { createInbox, type Msg, nanos } from "nats";
import { NATS_PULL_MS, NATS_PULL_RETRY_MS, NATS_PULL_SLACK_MS } from "../../deadlines.ts";
import type { NatsLink } from "./connection.ts";

/** What a delivery is answered with, by JetStream's protocol. */
export const ACK = "+ACK";
export const NAK = "-NAK";
export const WORKING = "+WPI";
export const TERM = "+TERM";

/** Answers a delivery; a lost answer costs a redelivery, no more. */
export function respond(message: Msg, payload: string): void {
	try {
		message.respond(Buffer.from(payload));
	} catch {
		// The connection is closed: nobody waits for it.
	}
}

/** Where messages are pulled from. */
export interface PullSource {
	readonly stream: string;
	readonly consumer: string;
	readonly inboxPrefix: string;
}

/**
 * The messages of a durable pull consumer, one at a time: the next one is asked for when the loop wants it. Asks again after
 * a reconnection and if the consumer is not there, until `signal` aborts; what arrives too late is handed back.
 */
export async function* pullMessages(
	link: NatsLink,
	{ stream, consumer, inboxPrefix }: PullSource,
	signal: AbortSignal,
): AsyncGenerator<Msg, void, undefined> {
	const arrived: Msg[] = [];
	let wake = () => {};
	let askAtMs = 0;
	const inbox = createInbox(inboxPrefix);
	const subscription = link.nc.subscribe(inbox, {
		callback: (error, message) => {
			if (error) link.log(`NATS: ${error.message}`);
			else arrived.push(message);
			wake();
		},
	});
	const askNow = () => {
		askAtMs = 0;
		wake();
	};
	const abort = () => wake();
	const offConnected = link.on("connected", askNow);
	signal.addEventListener("abort", abort);
	const request = Buffer.from(JSON.stringify({ batch: 1, expires: nanos(NATS_PULL_MS) }));
	try {
		while (!signal.aborted) {
			const message = arrived.shift();
			if (message && isStatus(message)) {
				// Over: ask anew. Anything else, such as a consumer that is gone: not at once.
				askAtMs = ["404", "408"].includes(codeOf(message)) ? 0 : performance.now() + NATS_PULL_RETRY_MS;
			} else if (message) {
				askAtMs = 0;
				yield message;
			} else if (performance.now() >= askAtMs) {
				link.nc.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, request, { reply: inbox });
				askAtMs = performance.now() + NATS_PULL_MS + NATS_PULL_SLACK_MS;
			} else {
				const waited = new Promise<void>((resolve) => {
					wake = resolve;
				});
				const timer = setTimeout(wake, askAtMs - performance.now());
				await waited;
				clearTimeout(timer);
			}
		}
	} finally {
		signal.removeEventListener("abort", abort);
		offConnected();
		handBack(link, subscription.drain(), arrived);
	}
}

/** Hands back what was under way when the pull ended, once nothing more can come. */
function handBack(link: NatsLink, drained: Promise<void>, arrived: readonly Msg[]): void {
	drained
		.catch(() => {})
		.then(() => {
			for (const message of arrived) if (!isStatus(message) && link.isConnected) respond(message, NAK);
		})
		.catch(() => {});
}

/** Whether it is the server's word on the request: an item can look like one, but wants an answer. */
function isStatus(message: Msg): boolean {
	return message.reply === undefined || message.reply === "";
}

function codeOf(message: Msg): string {
	return String(message.headers?.code ?? 0);
}
