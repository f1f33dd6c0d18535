import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import test from "ava";
import { QUICK, start, writeTexts } from "../cli/tailtune.ts";
import { startBareNatsServer, startNatsServer } from "../nats-server.ts";
import { newFolder } from "../new-folder.ts";
import { LONG, type RunEvent, RunProcess, startWorkerProcess } from "./processes.ts";

// Reasons for waiting are reported, and the first Ctrl-C ends every wait.

/** Arguments of every command that uses a NATS server. */
async function listCommands(nats: string): Promise<string[][]> {
	const out = join(await newFolder(), "run");
	return [
		["train", "--data", await writeTexts(30), ...QUICK, "--out", out],
		["worker", "--threads", "1"],
		["runs", "--watch"],
		["workers"],
		["cancel", "some-run"],
		["serve", "some-run", "--log-level", "silent"],
	].map((args) => [...args, "--nats", nats]);
}

test.serial("without JetStream every command fails with an explanation how to enable it", async (t) => {
	const { url, stop } = await startBareNatsServer();
	t.teardown(stop);
	const ended = await Promise.all((await listCommands(url)).map((args) => start(args)));
	for (const [i, { exitCode, stderr }] of ended.entries()) {
		t.is(exitCode, 1, `command ${i}`);
		t.regex(String(stderr), /^tailtune: NATS at nats:\S+ has no JetStream; start it as "nats-server -js", or/);
	}
});

test.serial("the first Ctrl-C ends the wait for a server that never answers", async (t) => {
	const codes = (await listCommands("")).map(async ([...args]) => {
		const silent = createServer();
		await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
		t.teardown(() => silent.close());
		const { port } = silent.address() as AddressInfo;
		const command = start([...args.slice(0, -1), `nats://127.0.0.1:${port}`]);
		silent.once("connection", () => command.kill("SIGINT"));
		const { exitCode, signal, stderr } = await command;
		return [args[0], exitCode ?? signal, String(stderr).replace(/^tailtune: /, "")];
	});
	t.deepEqual(await Promise.all(codes), [
		["train", 130, "stopped while waiting for NATS"],
		["worker", 0, ""],
		["runs", 0, ""],
		["workers", "SIGINT", ""],
		["cancel", "SIGINT", ""],
		["serve", 130, "stopped while waiting for NATS"],
	]);
});

test.serial(
	"the loss and the return of a connection are reported; during the loss the first Ctrl-C ends run and worker",
	async (t) => {
		const folder = await newFolder();
		const server = await startNatsServer();
		t.teardown(() => server.stop());
		const worker = await startWorkerProcess(server.url, join(folder, "cache"));
		t.teardown(() => worker.end());
		const data = ["--data", await writeTexts(120), ...LONG, "--shards", "2", "--out", join(folder, "run")];
		const run = new RunProcess([...data, "--nats", server.url]);
		await run.reach("epoch");
		const isNotice = (kind: string, state: string) => (found: RunEvent) => found.kind === kind && found.state === state;
		await server.kill();
		const { text } = await run.reach("notice", isNotice("connection", "begun"));
		t.is(text, `there is no connection to NATS at ${server.url}`);
		await server.restart();
		await run.reach("notice", isNotice("connection", "over"));
		await run.reach("epoch");
		await server.kill();
		await run.reach("notice", isNotice("connection", "begun"));
		run.signal("SIGINT");
		worker.signal("SIGINT");
		t.regex(await run.end(), /^exit code 130: .*stopped; to resume: npx tailtune train --resume/);
		t.is(await worker.exitCode(), 0);
	},
);
