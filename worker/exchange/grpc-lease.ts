import { setTimeout as delay } from "node:timers/promises";
import { RPC_RECONNECT_FIRST_MS, RPC_RECONNECT_LONGEST_MS } from "../../shared/deadlines.ts";
import { TailtuneError } from "../../shared/errors.ts";
import type { ExchangeClient } from "../../shared/exchange/tensor-service.ts";
import { PROTOCOL_VERSION } from "../../shared/rpc/service.ts";
import { type ReadOptions, readAll } from "./read.ts";

/**
 * Holds a worker's stream to the coordinator open until `signal` aborts, and opens it again if it breaks. Resolves when
 * the coordinator has registered the worker for the first time.
 * @throws TailtuneError if the coordinator refuses the worker, or if the first try fails or gets no answer
 */
export async function holdLease(
	client: ExchangeClient,
	workerId: string,
	options: Pick<ReadOptions, "silenceMs"> & { readonly signal: AbortSignal },
): Promise<void> {
	const first = attach(client, workerId, options);
	const { value } = await first.next();
	if (!value) throw new TailtuneError("offline", `the coordinator ended the stream of worker ${workerId} at once`);
	void keep(client, workerId, options, first);
}

function attach(client: ExchangeClient, workerId: string, options: ReadOptions) {
	return readAll(client.attach({ protocolVersion: PROTOCOL_VERSION, workerId }), { ...options, isHeldOpen: true });
}

async function keep(
	client: ExchangeClient,
	workerId: string,
	options: Parameters<typeof holdLease>[2],
	first: ReturnType<typeof attach>,
) {
	const { signal } = options;
	let lease = first;
	let waitMs = RPC_RECONNECT_FIRST_MS;
	while (!signal.aborted) {
		try {
			for await (const _ of lease) waitMs = RPC_RECONNECT_FIRST_MS;
		} catch {
			// Calls that need the coordinator report the error; here the stream is only opened again.
		}
		await delay(waitMs, undefined, { signal }).catch(() => {});
		if (signal.aborted) return;
		waitMs = Math.min(2 * waitMs, RPC_RECONNECT_LONGEST_MS);
		lease = attach(client, workerId, options);
	}
}
