import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { connect, type NatsConnection } from "nats";
import { readNatsAccess, readNatsCredentials } from "../../../../shared/bus/nats/credentials.ts";
import { connectNatsBus, type NatsBus, type NatsBusOptions } from "../../../../shared/bus/nats/nats-bus.ts";
import type { NatsRole } from "../../../../shared/bus/nats/subjects.ts";
import { startNatsServer } from "../../../nats-server.ts";
import { makeCertificates } from "../../rpc/certificates.ts";
import { someItem, somePart, someProgress, someRun, someWorker } from "../messages.ts";
import { Answers, Seen, serveShard, timing } from "./nats-cluster.ts";

const never = new AbortController().signal;
const ROLES = ["coordinator", "worker", "client"] as const satisfies readonly NatsRole[];
const configFolder = fileURLToPath(new URL("../../../../deploy/nats", import.meta.url));
// The configuration reads the passwords from the server's environment, which it inherits from this process.
for (const role of ROLES) process.env[`TAILTUNE_${role.toUpperCase()}_PASSWORD`] = `of-${role}`;

async function startSecured(t: ExecutionContext, config = "nats.conf") {
	const server = await startNatsServer({ config: join(configFolder, config) });
	t.teardown(() => server.stop());
	return server;
}

async function connectAs(t: ExecutionContext, role: NatsRole, options: Omit<NatsBusOptions, "role">): Promise<NatsBus> {
	const env = { TAILTUNE_NATS_USER: role, TAILTUNE_NATS_PASSWORD: `of-${role}` };
	const bus = await connectNatsBus({ role, timing, credentials: await readNatsCredentials(env), ...options });
	t.teardown(() => bus.close());
	return bus;
}

test("with the permissions of their roles coordinator and worker compute a run, and a client watches it", async (t) => {
	const server = await startSecured(t);
	const lines: string[] = [];
	const options = { servers: server.url, log: (line: string) => void lines.push(line) };
	const worker = await connectAs(t, "worker", options);
	const joining = worker.join(someWorker("worker"));
	const client = await connectAs(t, "client", options);
	const coordinator = await connectAs(t, "coordinator", options);
	const { leave, beat } = await joining;
	const workers = new Seen(client.watchWorkers(never));
	const runs = new Seen(client.watchRuns(never));
	await workers.until(({ length }) => length === 1);
	await coordinator.announce(someRun());
	await coordinator.assign({ runId: "run", shard: 0, workerId: "worker" });
	const answers = new Answers();
	await answers.publish(coordinator, someItem());
	const [lost] = await Promise.all([worker.pull("run", 0, never)[Symbol.asyncIterator]().next()]);
	t.deepEqual(lost.value?.item, someItem());
	await coordinator.takeBack("run", 0);
	serveShard(worker, 0, answers).catch(() => {});
	await answers.until(1);
	const updates = new Seen(worker.watchUpdates("run", never));
	await beat();
	coordinator.publishUpdate("run", [somePart(1)]);
	await updates.until(({ length }) => length === 1);
	await server.restart({ wipe: true });
	await answers.publish(coordinator, someItem({ serial: 2 }));
	await answers.until(2);
	t.like(await client.listRuns(), [{ spec: someRun(), progress: undefined }]);
	await coordinator.report(someProgress());
	t.like(await client.listRuns(), [{ spec: someRun(), progress: someProgress() }]);
	await beat();
	t.deepEqual(await client.listWorkers(), [someWorker("worker")]);
	const cancels = new Seen(coordinator.watchCancels("run", never));
	await coordinator.report(someProgress());
	await client.cancel("run");
	await cancels.until(({ length }) => length === 1);
	await coordinator.retire("run");
	await leave();
	await runs.until((all) => all.at(-1)?.type === "retired");
	await workers.until((all) => all.at(-1)?.type === "left");
	t.deepEqual(
		lines.filter((line) => /permission/i.test(line)),
		[],
	);
});

/** Actions, the subject to which each one publishes, and the roles that are permitted to do it. */
const PUBLISH_PERMISSIONS: readonly [action: string, subject: string, ...roles: NatsRole[]][] = [
	["list streams", "$JS.API.STREAM.NAMES"],
	["see the account", "$JS.API.INFO"],
	["make another stream", "$JS.API.STREAM.CREATE.mine"],
	...["tailtune-work", "KV_tailtune-runs", "KV_tailtune-workers", "KV_tailtune-progress"].flatMap(
		(stream): [string, string][] => [
			[`delete ${stream}`, `$JS.API.STREAM.DELETE.${stream}`],
			[`change ${stream}`, `$JS.API.STREAM.UPDATE.${stream}`],
			[`delete a message of ${stream}`, `$JS.API.STREAM.MSG.DELETE.${stream}`],
			[`restore ${stream}`, `$JS.API.STREAM.RESTORE.${stream}`],
			[`copy ${stream}`, `$JS.API.STREAM.SNAPSHOT.${stream}`],
		],
	),
	["make the queue of items", "$JS.API.STREAM.CREATE.tailtune-work", "coordinator"],
	["make the bucket of runs", "$JS.API.STREAM.CREATE.KV_tailtune-runs", "coordinator"],
	["make the registry", "$JS.API.STREAM.CREATE.KV_tailtune-workers", "coordinator"],
	["forget items", "$JS.API.STREAM.PURGE.tailtune-work", "coordinator"],
	["forget workers", "$JS.API.STREAM.PURGE.KV_tailtune-workers"],
	["read an item past the queue", "$JS.API.STREAM.MSG.GET.tailtune-work"],
	["read runs", "$JS.API.STREAM.MSG.GET.KV_tailtune-runs", ...ROLES],
	["make the bucket of progress", "$JS.API.STREAM.CREATE.KV_tailtune-progress", "coordinator"],
	["read progress", "$JS.API.STREAM.MSG.GET.KV_tailtune-progress", "client"],
	["publish progress", "$KV.tailtune-progress.x", "coordinator"],
	["ask a run to stop", "tailtune.cancel.x", "client"],
	["publish an update", "tailtune.updates.x", "coordinator"],
	["read workers", "$JS.API.STREAM.MSG.GET.KV_tailtune-workers", "coordinator", "client"],
	["make a consumer of items", "$JS.API.CONSUMER.CREATE.tailtune-work.x.tailtune.work.>", "coordinator"],
	["follow runs", "$JS.API.CONSUMER.CREATE.KV_tailtune-runs.x.$KV.tailtune-runs.>", ...ROLES],
	["make any other consumer of runs", "$JS.API.CONSUMER.CREATE.KV_tailtune-runs.x"],
	["make a consumer of workers", "$JS.API.CONSUMER.CREATE.KV_tailtune-workers.x.$KV.tailtune-workers.>"],
	["make a consumer with the old request", "$JS.API.CONSUMER.DURABLE.CREATE.tailtune-work.x"],
	["delete a consumer of items", "$JS.API.CONSUMER.DELETE.tailtune-work.x", "coordinator"],
	["replace the leader of a consumer of items", "$JS.API.CONSUMER.LEADER.STEPDOWN.tailtune-work.x", "coordinator"],
	["replace the leader of a consumer of runs", "$JS.API.CONSUMER.LEADER.STEPDOWN.KV_tailtune-runs.x"],
	["pull items", "$JS.API.CONSUMER.MSG.NEXT.tailtune-work.x", "worker"],
	["acknowledge items", "$JS.ACK.tailtune-work.x.1.1.1.1.0", "coordinator", "worker"],
	["announce a run", "$KV.tailtune-runs.run.x", "coordinator"],
	["assign a shard", "$KV.tailtune-runs.assign.x.0", "coordinator"],
	["register a worker", "$KV.tailtune-workers.x", "worker"],
	["publish an item", "tailtune.work.x.y.0", "coordinator"],
	["answer over NATS", "tailtune.answers.x.0"],
	["answer a request of another role", "tailtune.inbox.coordinator.x"],
	["anything else", "anything.else"],
];

for (const role of ROLES) {
	test(`a ${role} can publish to the subjects that it needs and to no others`, async (t) => {
		const raw = await connectRaw(t, role, (await startSecured(t)).url);
		const allowed: string[] = [];
		for (const [action, subject] of PUBLISH_PERMISSIONS) if (await mayPublish(raw, subject)) allowed.push(action);
		const expected = PUBLISH_PERMISSIONS.filter(([, , ...roles]) => (roles as NatsRole[]).includes(role)).map(
			([what]) => what,
		);
		t.deepEqual(allowed, expected);
	});
}

const SUBSCRIBE_PERMISSIONS: readonly [subject: string, ...roles: NatsRole[]][] = [
	["$KV.tailtune-runs.>"],
	["$KV.tailtune-workers.>", "coordinator", "client"],
	["$KV.tailtune-progress.>"],
	["tailtune.cancel.*", "coordinator"],
	["tailtune.updates.*", "worker"],
	["tailtune.work.>"],
	["$JS.>"],
	["$JS.ACK.>"],
	["$JS.ACK.tailtune-work.>", "coordinator"],
	["_INBOX.>"],
	[">"],
	["tailtune.inbox.>"],
	...ROLES.map((role): [string, NatsRole] => [`tailtune.inbox.${role}.>`, role]),
];

for (const role of ROLES) {
	test(`a ${role} can subscribe to the subjects that it needs and to no others`, async (t) => {
		const raw = await connectRaw(t, role, (await startSecured(t)).url);
		const allowed: string[] = [];
		for (const [subject] of SUBSCRIBE_PERMISSIONS) if (await maySubscribe(raw, subject)) allowed.push(subject);
		const expected = SUBSCRIBE_PERMISSIONS.filter(([, ...roles]) => (roles as NatsRole[]).includes(role)).map(
			([subject]) => subject,
		);
		t.deepEqual(allowed, expected);
	});
}

test("a connection without the right password is refused", async (t) => {
	const { url: servers } = await startSecured(t);
	const refused = { code: "denied", message: /rejects the credentials/ };
	await t.throwsAsync(connectNatsBus({ servers, role: "worker" }), refused);
	const env = { TAILTUNE_NATS_USER: "worker", TAILTUNE_NATS_PASSWORD: "of-coordinator" };
	await t.throwsAsync(
		connectNatsBus({ servers, role: "worker", credentials: await readNatsCredentials(env) }),
		refused,
	);
});

test("an action without permission fails with an error", async (t) => {
	const { url: servers } = await startSecured(t);
	const asClient = await readNatsCredentials({ TAILTUNE_NATS_USER: "client", TAILTUNE_NATS_PASSWORD: "of-client" });
	const denied = { code: "denied", message: /permission/i };
	await t.throwsAsync(connectNatsBus({ servers, role: "worker", credentials: asClient }), denied);
	const client = await connectAs(t, "client", { servers });
	await t.throwsAsync(client.announce(someRun()), denied);
	await t.throwsAsync(client.join(someWorker("worker")), denied);
});

test("over TLS a server is trusted only with the certificate of its CA", async (t) => {
	const { caFile, certFile, keyFile } = await makeCertificates(t);
	process.env.TAILTUNE_NATS_TLS_CERT = certFile;
	process.env.TAILTUNE_NATS_TLS_KEY = keyFile;
	const server = await startSecured(t, "nats-tls.conf");
	const servers = server.url.replace("127.0.0.1", "localhost");
	const { tls } = await readNatsAccess({ TAILTUNE_NATS_CA_FILE: caFile });
	const bus = await connectAs(t, "coordinator", { servers, tls });
	await bus.announce(someRun());
	const unknown = { code: "offline", message: /certificate/ };
	await t.throwsAsync(connectAs(t, "coordinator", { servers, tls: {} }), unknown);
	await t.throwsAsync(readNatsAccess({ TAILTUNE_NATS_CA_FILE: "/nowhere/ca.pem" }), {
		message: "TAILTUNE_NATS_CA_FILE: /nowhere/ca.pem: no such file or folder",
	});
});

test("credentials come from one place in the environment or a file", async (t) => {
	const folder = await mkdtemp(join(tmpdir(), "tailtune-nats-"));
	t.teardown(() => rm(folder, { recursive: true }));
	const file = join(folder, "secret");
	await writeFile(file, "hidden\n");
	const given = async (env: Record<string, string>) => (await readNatsCredentials(env))?.("nonce");
	t.is(await given({}), undefined);
	const both = { user: "me", pass: "hidden" };
	t.like(await given({ TAILTUNE_NATS_USER: "me", TAILTUNE_NATS_PASSWORD: "hidden" }), both);
	t.like(await given({ TAILTUNE_NATS_USER: "me", TAILTUNE_NATS_PASSWORD_FILE: file }), both);
	t.like(await given({ TAILTUNE_NATS_TOKEN_FILE: file }), { auth_token: "hidden" });
	await t.throwsAsync(given({ TAILTUNE_NATS_USER: "me" }), { code: "usage", message: /found one, expected both/ });
	await t.throwsAsync(given({ TAILTUNE_NATS_TOKEN: "a", TAILTUNE_NATS_TOKEN_FILE: file }), { code: "usage" });
	const two = { TAILTUNE_NATS_TOKEN: "a", TAILTUNE_NATS_USER: "me", TAILTUNE_NATS_PASSWORD: "b" };
	await t.throwsAsync(given(two), { code: "usage", message: /2 kinds of credentials/ });
	await t.throwsAsync(given({ TAILTUNE_NATS_TOKEN_FILE: "/nowhere" }), { code: "not-found", message: /\/nowhere/ });
});

async function connectRaw(t: ExecutionContext, role: NatsRole, servers: string): Promise<NatsConnection> {
	const raw = await connect({ servers, user: role, pass: `of-${role}`, inboxPrefix: `tailtune.inbox.${role}` });
	t.teardown(() => raw.close());
	return raw;
}

async function mayPublish(raw: NatsConnection, subject: string): Promise<boolean> {
	return !(await violations(raw, () => raw.publish(subject, "{}")));
}

async function maySubscribe(raw: NatsConnection, subject: string): Promise<boolean> {
	return !(await violations(raw, () => void raw.subscribe(subject, { callback: () => {} })));
}

/** Whether the server rejects an action; the rejection arrives before its reply to the flush. */
async function violations(raw: NatsConnection, action: () => void): Promise<boolean> {
	const status = raw.status();
	let isDenied = false;
	const follow = (async () => {
		for await (const { type, data } of status)
			if (type === "error" && data === "PERMISSIONS_VIOLATION") isDenied = true;
	})();
	action();
	await raw.flush();
	await new Promise((resolve) => setImmediate(resolve));
	(status as AsyncIterable<unknown> & { stop(): void }).stop();
	await follow;
	return isDenied;
}
