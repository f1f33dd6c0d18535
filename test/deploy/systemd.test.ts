import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import test from "ava";
import { execa } from "execa";
import { COMMAND, newFolder } from "../cli/tailtune.ts";
import { startNatsServer } from "../nats-server.ts";

const UNIT = fileURLToPath(new URL("../../deploy/tailtune-worker.service", import.meta.url));
const NATS_CONFIG = fileURLToPath(new URL("../../deploy/nats/nats.conf", import.meta.url));

/** How exposed `systemd-analyze security` may find it, of 100. */
const EXPOSURE = 20;

const hasSystemd = !(await execa("systemd-analyze", ["--version"], { reject: false })).failed;

/** The unit as a file of its own, with this machine's node. */
async function unitHere(): Promise<string> {
	const file = join(await newFolder(), "tailtune-worker.service");
	await writeFile(file, (await readFile(UNIT, "utf8")).replace("/usr/bin/node", process.execPath));
	return file;
}

if (hasSystemd) {
	test("systemd knows every line of the worker's unit", async (t) => {
		const { exitCode, stdout, stderr } = await execa("systemd-analyze", ["verify", await unitHere()], {
			reject: false,
		});
		t.deepEqual([exitCode, stdout, stderr], [0, "", ""]);
	});

	test("systemd finds the worker's unit little exposed", async (t) => {
		const args = ["security", "--offline=true", `--threshold=${EXPOSURE}`, await unitHere()];
		const { exitCode, stdout } = await execa("systemd-analyze", args, { reject: false });
		t.is(exitCode, 0, stdout);
	});
} else {
	test("NOT RUN on this machine: systemd's look at the worker's unit", (t) => {
		t.log("needs systemd-analyze (Debian: systemd)");
		t.pass();
	});
}

/** Values of a setting of the unit's service, in order. */
async function settings(name: string): Promise<string[]> {
	const lines = (await readFile(UNIT, "utf8")).split("\n");
	return lines.filter((line) => line.startsWith(`${name}=`)).map((line) => line.slice(name.length + 1));
}

test("the unit's command, with its credentials and environment, is a worker that joins", async (t) => {
	const etc = await newFolder();
	Object.assign(process.env, {
		TAILTUNE_COORDINATOR_PASSWORD: "of-coordinator",
		TAILTUNE_WORKER_PASSWORD: "of-worker",
		TAILTUNE_CLIENT_PASSWORD: "of-client",
	});
	const server = await startNatsServer({ config: NATS_CONFIG });
	t.teardown(() => server.stop());
	// As systemd does: credentials are files in a folder %d; ${NATS} comes of the environment file.
	const secrets: Record<string, string> = { "nats-password": "of-worker", token: "of-the-test" };
	for (const credential of await settings("LoadCredential")) {
		const [name = "", source] = credential.split(":");
		t.is(source, `/etc/tailtune/${name}`);
		await writeFile(join(etc, name), `${secrets[name]}\n`);
	}
	const specifiers = (text: string) => text.replaceAll("%d", etc).replaceAll("%C", join(etc, "cache"));
	const assignments = (await settings("Environment")).flatMap((line) => specifiers(line).split(" "));
	const env = Object.fromEntries(assignments.map((assignment) => assignment.split("=")));
	const [execStart = ""] = await settings("ExecStart");
	const [program = "", ...args] = execStart
		.replace("/usr/bin/node", process.execPath)
		.replace("/opt/tailtune/tailtune.mjs", COMMAND)
		.replace(/\$\{NATS\}/, server.url)
		.split(" ");
	const worker = execa(program, args, { env, reject: false });
	t.teardown(() => void worker.kill("SIGKILL"));
	let joined = false;
	for await (const line of createInterface({ input: worker.stdout as Readable }))
		if (/ joined /.test(line)) {
			joined = true;
			worker.kill("SIGTERM");
		}
	const { exitCode, stderr } = await worker;
	t.is(exitCode, 0, stderr);
	t.true(joined);
});
