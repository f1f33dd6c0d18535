import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import type { UpdatePart } from "../../../../proto/gen/tailtune/v1/UpdatePart.ts";
import { MOST_UPDATE_BYTES } from "../../../../shared/bus/nats/config.ts";
import type { NatsBus } from "../../../../shared/bus/nats/nats-bus.ts";
import { temporaryFolder } from "../../../temporary-folder.ts";
import { somePart, someRun } from "../messages.ts";
import { Seen, startCluster } from "./nats-cluster.ts";

const never = new AbortController().signal;

/** Data of a part, in bytes. */
const PART_BYTES = 512 * 1024;

function partsOf(version: number, count: number) {
	return Array.from({ length: count }, () => somePart(version, Buffer.alloc(PART_BYTES, version)));
}

/** Begins to watch updates of "run", and waits until the server knows it. */
async function watch(worker: NatsBus): Promise<Seen<UpdatePart>> {
	await worker.listRuns();
	const seen = new Seen(worker.watchUpdates("run", never));
	await worker.listRuns();
	return seen;
}

test("an update that can't be sent is never sent, and later ones arrive when the connection is back", async (t) => {
	const { server, worker, connect } = await startCluster(t);
	let isLost = () => {};
	const lost = new Promise<void>((resolve) => {
		isLost = resolve;
	});
	const coordinator = await connect({ log: (line) => line.includes("lost") && isLost() });
	await coordinator.announce(someRun());
	const seen = await watch(worker);
	coordinator.publishUpdate("run", [somePart(1)]);
	await seen.until(({ length }) => length === 1);
	await server.kill();
	await lost;
	coordinator.publishUpdate("run", [somePart(2)]);
	await server.restart();
	for (const bus of [worker, coordinator]) await bus.listRuns();
	coordinator.publishUpdate("run", [somePart(3)]);
	await seen.until(({ length }) => length === 2);
	t.deepEqual(seen.all, [somePart(1), somePart(3)]);
});

test("an update of 28 MB arrives whole; a larger one than 32 MiB isn't published, and the next one is", async (t) => {
	const { coordinator, worker } = await startCluster(t);
	await coordinator.announce(someRun());
	const seen = await watch(worker);
	coordinator.publishUpdate("run", partsOf(1, MOST_UPDATE_BYTES / PART_BYTES));
	coordinator.publishUpdate("run", partsOf(2, 54));
	coordinator.publishUpdate("run", partsOf(3, 20));
	await seen.until(({ length }) => length === 54);
	await coordinator.listRuns();
	coordinator.publishUpdate("run", [somePart(4)]);
	await seen.until(({ length }) => length === 55);
	const expected = Buffer.alloc(PART_BYTES, 2);
	t.true(seen.all.slice(0, 54).every(({ header, chunk }) => header?.texts === 1 && chunk?.data.equals(expected)));
	t.deepEqual(seen.all.at(-1), somePart(4));
});

test("a part that the server's limit doesn't allow isn't published, and the connection stays open", async (t) => {
	const config = join(await temporaryFolder(t), "nats.conf");
	await writeFile(config, "max_payload: 256KB\n");
	const { coordinator, worker } = await startCluster(t, config);
	await coordinator.announce(someRun());
	const seen = await watch(worker);
	coordinator.publishUpdate("run", partsOf(1, 1));
	coordinator.publishUpdate("run", [somePart(2)]);
	await seen.until(({ length }) => length === 1);
	t.deepEqual(seen.all, [somePart(2)]);
});

test("messages that aren't parts of updates are counted, and the watch continues", async (t) => {
	const { coordinator, worker, names, raw } = await startCluster(t);
	await coordinator.announce(someRun());
	const seen = await watch(worker);
	for (const bytes of [Buffer.from("no message of ours"), Buffer.alloc(100, 0xff)])
		raw.publish(names.updates("run"), bytes);
	await raw.flush();
	coordinator.publishUpdate("run", [somePart(1)]);
	await seen.until(({ length }) => length === 1);
	t.deepEqual(seen.all, [somePart(1)]);
	t.is(worker.refusedMessages, 2);
});
