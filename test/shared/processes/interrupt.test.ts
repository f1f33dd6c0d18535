import { once } from "node:events";
import { fileURLToPath } from "node:url";
import test from "ava";
import { execa } from "execa";

const PROGRAM = fileURLToPath(new URL("./interrupt-program.ts", import.meta.url));

for (const signal of ["SIGINT", "SIGTERM"] as const) {
	test(`${signal} ends a process that blocks its event loop at once; after endOnSignals it aborts the signal again`, async (t) => {
		const run = (command: string) =>
			execa(process.execPath, ["--import=tsx", PROGRAM, command], { reject: false, timeout: 120_000 });
		const [loop, after] = [run("loop"), run("after")];
		await Promise.all([once(loop.stdout, "data"), once(after.stdout, "data")]);
		for (const process of [loop, after]) process.kill(signal);
		t.is((await loop).signal, signal);
		const ended = await after;
		t.deepEqual([ended.exitCode, ended.stdout], [0, "ready\naborted"]);
	});
}
