import { readFile } from "node:fs/promises";
import test from "ava";
import { start, tailtune } from "./tailtune.ts";

test("--version says which one this is", async (t) => {
	const { version } = JSON.parse(await readFile("package.json", "utf8"));
	const { exitCode, stdout } = await tailtune("--version");
	t.is(exitCode, 0);
	t.is(stdout, version);
});

// A third of a command's start went to libraries that it had no use for.
for (const command of ["train", "classify", "quickstart"]) {
	test(`${command} loads no library of clusters and servers before it is told to`, async (t) => {
		const { exitCode, stderr } = await start([command, "--help"], { NODE_DEBUG: "esm" });
		t.is(exitCode, 0);
		const loads = (library: string) => String(stderr).includes(`/node_modules/${library}/`);
		t.true(loads("commander"), "Node no longer tells what it loads");
		t.deepEqual(["nats", "@grpc/grpc-js", "hono", "pino", "prom-client", "@tensorflow/tfjs"].filter(loads), []);
	});
}
