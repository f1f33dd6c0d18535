import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "nats";
import pRetry from "p-retry";
import { startNatsServer, type TestServer } from "./nats-server.ts";

/** Starts nats-servers that form one cluster with JetStream; streams can have as many replicas. */
export async function startNatsNodes(count: number): Promise<{ nodes: readonly TestServer[]; stop(): Promise<void> }> {
	const folder = await mkdtemp(join(tmpdir(), "tailtune-nats-nodes-"));
	const ports = await freePorts(count);
	const routes = ports.map((port) => `nats://127.0.0.1:${port}`).join(", ");
	const starts = ports.map(async (port, i) => {
		const config = join(folder, `${i}.conf`);
		const cluster = `cluster: { name: nodes, listen: "127.0.0.1:${port}", routes: [${routes}] }`;
		await writeFile(config, `server_name: node-${i}\n${cluster}\n`);
		return startNatsServer({ config });
	});
	const nodes = await Promise.all(starts);
	await untilFormed(nodes[0]?.url ?? "", count);
	const stop = async () => {
		await Promise.all(nodes.map((node) => node.stop()));
		await rm(folder, { recursive: true });
	};
	return { nodes, stop };
}

/** Waits until JetStream keeps as many replicas as there are servers. */
async function untilFormed(servers: string, count: number): Promise<void> {
	const connection = await connect({ servers });
	const probe = { name: "probe", subjects: ["probe"], num_replicas: count };
	try {
		await pRetry(
			async () => {
				const { streams } = await connection.jetstreamManager({ checkAPI: false });
				await streams.add(probe);
				await streams.delete(probe.name);
			},
			{ retries: 300, minTimeout: 100, maxTimeout: 100 },
		);
	} finally {
		await connection.close();
	}
}

/** Ports that nobody listens on, all held until the last is found. */
async function freePorts(count: number): Promise<number[]> {
	const holders = Array.from({ length: count }, () => createServer());
	await Promise.all(holders.map((holder) => new Promise<void>((done) => holder.listen(0, "127.0.0.1", done))));
	const ports = holders.map((holder) => (holder.address() as AddressInfo).port);
	await Promise.all(holders.map((holder) => new Promise((done) => holder.close(done))));
	return ports;
}
