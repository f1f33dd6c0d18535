import { once } from "node:events";
import { join } from "node:path";
import test from "ava";
import { execa } from "execa";
import { startLocalServer } from "../../../coordinator/cluster/local-server.ts";
import { natsServerProgram } from "../../nats-server.ts";
import { newFolder } from "../../new-folder.ts";

/** Finds the processes with this text on their command lines. */
async function processesWith(text: string): Promise<number[]> {
	const { stdout } = await execa("ps", ["-eo", "pid=,args="]);
	const lines = stdout.split("\n").filter((line) => line.includes(text));
	return lines.map((line) => Number.parseInt(line, 10));
}

test("a server that is stopped during its restart leaves no process and reports no failure", async (t) => {
	const storeDir = join(await newFolder(), "jetstream");
	const failures: Error[] = [];
	const told = new EventTarget();
	const listeners = {
		log: () => told.dispatchEvent(new Event("restart")),
		fail: (error: Error) => failures.push(error),
	};
	const server = await startLocalServer({ binary: await natsServerProgram(), storeDir }, listeners);
	t.teardown(() => server.stop());
	const restart = once(told, "restart");
	for (const pid of await processesWith(storeDir)) process.kill(pid, "SIGKILL");
	await restart;
	while ((await processesWith(storeDir)).length === 0) {} // it is being started
	await server.stop();
	t.deepEqual(await processesWith(storeDir), []);
	t.deepEqual(failures, []);
});
