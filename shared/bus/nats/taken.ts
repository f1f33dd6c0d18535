import { realClock } from "../../clock.ts";
import { isTransient, type NatsLink } from "./connection.ts";
import { readConsumer } from "./consumers.ts";

/**
 * Returns whether a worker computes the next item of a queue with one unacknowledged item at a time; undefined if the
 * queue is empty or the state is not known now. Sends one request. If the item was delivered, also waits for a message
 * of its worker.
 * @param ackWaitMs time in ms in which a worker reports several times that it computes an item
 */
export async function isItemTaken(
	link: NatsLink,
	{ stream, consumer, ackWaitMs }: { stream: string; consumer: string; ackWaitMs: number },
): Promise<boolean | undefined> {
	if (!link.isConnected) return undefined;
	try {
		const info = await readConsumer(link, stream, consumer);
		if (!info) return undefined;
		const { num_pending, num_ack_pending, num_waiting } = info;
		if (num_ack_pending > 0) return await isAckSeen(link, `$JS.ACK.${stream}.${consumer}.>`, ackWaitMs);
		// A worker has requested the item and is about to receive it.
		if (num_pending === 0 || num_waiting > 0) return undefined;
		return false;
	} catch (error) {
		if (isTransient(error)) return undefined;
		throw error;
	}
}

/** Whether a worker sends a message about a delivered item within `ms`; undefined if the connection breaks. */
function isAckSeen(link: NatsLink, subject: string, ms: number): Promise<boolean | undefined> {
	const { nc, closed, log } = link;
	return new Promise((resolve) => {
		const end = (isSeen: boolean | undefined) => {
			cancel();
			offDisconnected();
			closed.removeEventListener("abort", giveUp);
			subscription.unsubscribe();
			resolve(isSeen);
		};
		const giveUp = () => end(undefined);
		const subscription = nc.subscribe(subject, {
			callback: (error) => {
				if (error) log(`NATS: ${error.message}`);
				end(error ? undefined : true);
			},
		});
		const cancel = realClock.schedule(() => end(false), ms);
		const offDisconnected = link.on("disconnected", giveUp);
		closed.addEventListener("abort", giveUp);
	});
}
