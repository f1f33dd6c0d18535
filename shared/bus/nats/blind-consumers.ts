import { NATS_REQUEST_MS } from "../../deadlines.ts";
import { isNotFound, type NatsLink } from "./connection.ts";

/**
 * Whether a consumer knows of no message: none is to be delivered, and none waits for its ack. If the stream has
 * messages for it, the consumer never delivers them. This happens in a NATS cluster whose servers died at the same
 * time: the consumer's leader may keep a copy of the stream that differs from the others and isn't repaired
 * (nats-server 2.9).
 */
export async function isBlind({ jsm }: NatsLink, stream: string, consumer: string): Promise<boolean> {
	try {
		const { num_pending, num_ack_pending } = await jsm.consumers.info(stream, consumer);
		return num_pending === 0 && num_ack_pending === 0;
	} catch (error) {
		if (isNotFound(error)) return false;
		throw error;
	}
}

/** Asks a consumer's leader to leave that role to another server. A single server refuses it, which has no effect. */
export async function replaceLeader({ nc, log }: NatsLink, stream: string, consumer: string): Promise<void> {
	try {
		await nc.request(`$JS.API.CONSUMER.LEADER.STEPDOWN.${stream}.${consumer}`, "", { timeout: NATS_REQUEST_MS });
	} catch (error) {
		log(`NATS: consumer ${consumer} keeps its leader: ${error instanceof Error ? error.message : error}`);
	}
}
