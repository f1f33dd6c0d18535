import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { someRun } from "../messages.ts";
import { Answers, manyItems, Seen, serveShard, startCluster } from "./nats-cluster.ts";

const never = new AbortController().signal;

test.serial("2,000 items of 2 KB are delivered over two shards, each once and in order", async (t) => {
	const { coordinator, worker } = await startCluster(t);
	const sequence = { exampleId: 1, tokens: Array(650).fill(40000), poolFrom: 649, poolCount: 1, labels: [0] };
	const items = manyItems(2000, 2, { sequences: [sequence] });
	await coordinator.announce(someRun());
	const seen: number[][] = [[], []];
	const answers = new Answers();
	for (const [shard, serials] of seen.entries())
		serveShard(worker, shard, answers, ({ serial }) => serials.push(serial)).catch(() => {});
	const begunMs = performance.now();
	const publishing = Promise.all(items.map((item) => answers.publish(coordinator, item)));
	await answers.until(items.length);
	await publishing;
	t.log(`${Math.round((items.length / (performance.now() - begunMs)) * 1000)} items/s, from publish to answer`);
	t.deepEqual(
		seen,
		[0, 1].map((shard) => items.filter((item) => item.shard === shard).map(({ serial }) => serial)),
	);
	t.is(coordinator.republishedItems, 0);
});

test.serial("a bus disconnected for slow reading reconnects and gets the present state", async (t) => {
	const config = await slowConsumerConfig(t);
	const cluster = await startCluster(t, config);
	const { coordinator, names, raw, server } = cluster;
	await coordinator.announce(someRun());
	const proxy = await startProxy(t, Number(new URL(server.url).port));
	const lines: string[] = [];
	const slow = await cluster.connect({ url: proxy.url, log: (line) => void lines.push(line) });
	const assignments = new Seen(slow.watchAssignments("run", never));
	proxy.hold();
	const js = raw.jetstream();
	// More bytes than fit into the buffers of proxy and kernel.
	for (let times = 0; times < 300; times++) await js.publish(names.run("flood"), Buffer.alloc(100_000));
	await coordinator.assign({ runId: "run", shard: 0, workerId: "worker" });
	proxy.release();
	await assignments.until(({ length }) => length > 0);
	t.deepEqual(assignments.all, [{ runId: "run", shard: 0, workerId: "worker" }]);
	t.is(lines.filter((line) => line.includes("lost")).length, 1);
});

async function slowConsumerConfig(t: ExecutionContext): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), "tailtune-nats-"));
	t.teardown(() => rm(folder, { recursive: true }));
	const file = join(folder, "nats.conf");
	await writeFile(file, 'write_deadline: "100ms"\nmax_pending: 1048576\n');
	return file;
}

/** Starts a proxy of the server that can pause the traffic to the client. */
async function startProxy(t: ExecutionContext, port: number) {
	const sockets: Socket[] = [];
	const listener = createServer((client) => {
		const upstream = createConnection(port, "127.0.0.1");
		sockets.push(upstream);
		client.pipe(upstream).pipe(client);
		client.on("error", () => upstream.destroy());
		upstream.on("error", () => client.destroy());
	});
	await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
	t.teardown(() => {
		for (const socket of sockets) socket.destroy();
		listener.close();
	});
	const { port: own } = listener.address() as AddressInfo;
	return {
		url: `nats://127.0.0.1:${own}`,
		hold: () => sockets.at(-1)?.pause(),
		release: () => sockets.at(-1)?.resume(),
	};
}
