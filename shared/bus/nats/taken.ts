import { realClock } from "../../clock.ts";
import { isNotFound, isTransient, type NatsLink } from "./connection.ts";

/**
 * Whether somebody works on the item that is due in a queue with one item out at a time; undefined if nothing is due or
 * that can't be told now. One request, and only if the item was delivered a wait for a sign of whoever has it.
 * @param ackWaitMs whoever works on an item says so several times in this time
 */
export async function isItemTaken(
	link: NatsLink,
	{ stream, consumer, ackWaitMs }: { stream: string; consumer: string; ackWaitMs: number },
): Promise<boolean | undefined> {
	if (!link.isConnected) return undefined;
	try {
		const { num_pending, num_ack_pending, num_waiting } = await link.jsm.consumers.info(stream, consumer);
		if (num_ack_pending > 0) return await hearsSign(link, `$JS.ACK.${stream}.${consumer}.>`, ackWaitMs);
		// Somebody asks for it, and is about to get it.
		if (num_pending === 0 || num_waiting > 0) return undefined;
		return false;
	} catch (error) {
		if (isTransient(error) || isNotFound(error)) return undefined;
		throw error;
	}
}

/** Whether anything is said about a delivered item within some time; undefined if the connection breaks meanwhile. */
function hearsSign(link: NatsLink, subject: string, ms: number): Promise<boolean | undefined> {
	const { nc, closed, log } = link;
	return new Promise((resolve) => {
		const end = (isHeard: boolean | undefined) => {
			cancel();
			offDisconnected();
			closed.removeEventListener("abort", giveUp);
			subscription.unsubscribe();
			resolve(isHeard);
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
