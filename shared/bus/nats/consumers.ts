import type { ConsumerInfo } from "nats";
import { NATS_REQUEST_MS } from "../../deadlines.ts";
import { isNotFound, type NatsLink } from "./connection.ts";

/** Reads the state of a consumer; undefined if it or its stream doesn't exist. */
export async function readConsumer(
	{ jsm }: NatsLink,
	stream: string,
	consumer: string,
): Promise<ConsumerInfo | undefined> {
	try {
		return await jsm.consumers.info(stream, consumer);
	} catch (error) {
		if (isNotFound(error)) return undefined;
		throw error;
	}
}

/**
 * Whether a consumer knows of no message: none is to be delivered, and none waits for its ack. If the stream has
 * messages for it, the consumer never delivers them. This happens in a NATS cluster whose servers died at the same
 * time: the consumer's leader may keep a copy of the stream that differs from the others and isn't repaired
 * (nats-server 2.9).
 */
export async function isBlind(link: NatsLink, stream: string, consumer: string): Promise<boolean> {
	const info = await readConsumer(link, stream, consumer);
	return info?.num_pending === 0 && info.num_ack_pending === 0;
}

/** Asks a consumer's leader to leave that role to another server. A single server refuses it, which has no effect. */
export async function replaceLeader({ nc, log }: NatsLink, stream: string, consumer: string): Promise<void> {
	try {
		await nc.request(`$JS.API.CONSUMER.LEADER.STEPDOWN.${stream}.${consumer}`, "", { timeout: NATS_REQUEST_MS });
	} catch (error) {
		log(`NATS: consumer ${consumer} keeps its leader: ${error instanceof Error ? error.message : error}`);
	}
}
