import { getEventListeners, setMaxListeners } from "node:events";
import test from "ava";
import { NatsLink } from "../../../../shared/bus/nats/connection.ts";
import { startNatsServer } from "../../../nats-server.ts";

/** Counts what refers to a signal: its listeners, and the entries that Node keeps for `AbortSignal.any`. */
function countLeft(signal: AbortSignal): number {
	const key = Object.getOwnPropertySymbols(signal).find(({ description }) => description === "kDependantSignals");
	const dependants = key && (signal as unknown as Record<symbol, Set<unknown> | undefined>)[key];
	return getEventListeners(signal, "abort").length + (dependants?.size ?? 0);
}

test("requests leave nothing at the signals that can end them, so a server for months needs no more memory", async (t) => {
	const server = await startNatsServer();
	t.teardown(() => server.stop());
	const options = { name: "test", inboxPrefix: "inbox", pingMs: 5_000, log: () => {} };
	const link = await NatsLink.open({ servers: server.url, patienceMs: 60_000, ...options });
	t.teardown(() => link.close());
	const { signal } = new AbortController();
	setMaxListeners(0, signal);
	const before = countLeft(link.closed);
	const requests = Array.from({ length: 20 }, () => link.persist(async () => link.nc.flush(), signal));
	await Promise.all(requests);
	await t.throwsAsync(
		link.persist(() => Promise.reject(new Error("broken")), signal),
		{ message: "broken" },
	);
	t.is(countLeft(link.closed), before);
	t.is(countLeft(signal), 0);
});
