import { writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import test from "ava";
import { readNatsCredentials } from "../../../../shared/bus/nats/credentials.ts";
import { connectNatsBus } from "../../../../shared/bus/nats/nats-bus.ts";
import type { NatsRole } from "../../../../shared/bus/nats/subjects.ts";
import { startBareNatsServer, startNatsServer } from "../../../nats-server.ts";
import { newFolder } from "../../../new-folder.ts";
import { someItem, someRun } from "../messages.ts";
import { timing } from "./nats-cluster.ts";

const never = new AbortController().signal;
const ROLES = ["coordinator", "worker", "client"] as const satisfies readonly NatsRole[];

async function writeConfig(text: string): Promise<string> {
	const file = join(await newFolder(), "nats.conf");
	await writeFile(file, text);
	return file;
}

test("for each role the error for a server without JetStream names the server and explains how to enable it", async (t) => {
	const { url: servers, stop } = await startBareNatsServer();
	t.teardown(stop);
	const message = `NATS at ${servers} has no JetStream; start it as "nats-server -js", or set "jetstream {}" in its configuration`;
	await Promise.all(
		ROLES.map((role) => t.throwsAsync(connectNatsBus({ servers, role }), { code: "offline", message })),
	);
});

test("the error for an account without JetStream explains how to enable it", async (t) => {
	const config = await writeConfig('accounts: { A: { users: [{ user: "me", password: "secret" }] } }\n');
	const server = await startNatsServer({ config });
	t.teardown(() => server.stop());
	const credentials = await readNatsCredentials({ TAILTUNE_NATS_USER: "me", TAILTUNE_NATS_PASSWORD: "secret" });
	const message = /: this user's account has no JetStream; set "jetstream: enabled" in the account/;
	await Promise.all(
		ROLES.map((role) =>
			t.throwsAsync(connectNatsBus({ servers: server.url, role, credentials }), { code: "offline", message }),
		),
	);
});

test("an attempt to connect to a server that never answers ends when its signal aborts", async (t) => {
	const silent = createServer();
	await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
	t.teardown(() => silent.close());
	const { port } = silent.address() as AddressInfo;
	const end = new AbortController();
	silent.once("connection", () => end.abort(new Error("enough")));
	const connecting = connectNatsBus({ servers: `nats://127.0.0.1:${port}`, role: "worker", signal: end.signal });
	await t.throwsAsync(connecting, { message: "enough" });
});

test("if the credentials change during a run, every watch and operation fails with that reason", async (t) => {
	const config = await writeConfig('authorization: { user: "me", password: "before" }\n');
	const server = await startNatsServer({ config });
	t.teardown(() => server.stop());
	const credentials = await readNatsCredentials({ TAILTUNE_NATS_USER: "me", TAILTUNE_NATS_PASSWORD: "before" });
	const open = async (role: NatsRole) => {
		const bus = await connectNatsBus({ servers: server.url, role, credentials, timing });
		t.teardown(() => bus.close());
		return bus;
	};
	const [coordinator, worker] = [await open("coordinator"), await open("worker")];
	await coordinator.announce(someRun());
	const runs = worker.watchRuns(never)[Symbol.asyncIterator]();
	await runs.next();
	const rejected = { code: "denied", message: `NATS at ${server.url} rejects the credentials` };
	const waits = [
		coordinator.watchCancels("run", never)[Symbol.asyncIterator]().next(),
		coordinator.watchWorkers(never)[Symbol.asyncIterator]().next(),
		runs.next(),
		worker.pull("run", 0, never)[Symbol.asyncIterator]().next(),
	].map((wait) => t.throwsAsync(wait, rejected));
	await server.kill();
	waits.push(t.throwsAsync(coordinator.publish(someItem(), never), rejected));
	await writeFile(config, 'authorization: { user: "me", password: "after" }\n');
	await server.restart();
	await Promise.all(waits);
});
