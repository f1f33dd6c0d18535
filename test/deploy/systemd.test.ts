import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import test from "ava";
import { execa } from "execa";
import { readNatsCredentials } from "../../shared/bus/nats/credentials.ts";
import { connectNatsBus } from "../../shared/bus/nats/nats-bus.ts";
import { COMMAND } from "../cli/tailtune.ts";
import { startNatsServer } from "../nats-server.ts";
import { newFolder } from "../new-folder.ts";

const UNIT = fileURLToPath(new URL("../../deploy/tailtune-worker.service", import.meta.url));
const GPU = `${UNIT}.d/gpu.conf`;
const NATS_CONFIG = fileURLToPath(new URL("../../deploy/nats/nats.conf", import.meta.url));

/** Largest exposure, out of 100, allowed in the report of `systemd-analyze security`. */
const EXPOSURE = 20;

const hasSystemd = !(await execa("systemd-analyze", ["--version"], { reject: false })).failed;

/** Copies the unit and drop-ins to a new folder, with this machine's path of node. Returns the unit's path. */
async function copyUnit(...dropIns: readonly string[]): Promise<string> {
	const file = join(await newFolder(), "tailtune-worker.service");
	const copy = async (from: string, to: string) =>
		writeFile(to, (await readFile(from, "utf8")).replace("/usr/bin/node", process.execPath));
	await copy(UNIT, file);
	await mkdir(`${file}.d`);
	for (const dropIn of dropIns) await copy(dropIn, join(`${file}.d`, basename(dropIn)));
	return file;
}

if (hasSystemd) {
	for (const [name, dropIns] of [
		["the worker's unit", []],
		["the unit of a GPU worker", [GPU]],
	] as const) {
		test(`systemd accepts every line of ${name}`, async (t) => {
			const args = ["verify", await copyUnit(...dropIns)];
			const { exitCode, stdout, stderr } = await execa("systemd-analyze", args, { reject: false });
			t.deepEqual([exitCode, stdout, stderr], [0, "", ""]);
		});

		test(`systemd reports little exposure of ${name}`, async (t) => {
			const args = ["security", "--offline=true", `--threshold=${EXPOSURE}`, await copyUnit(...dropIns)];
			const { exitCode, stdout } = await execa("systemd-analyze", args, { reject: false });
			t.is(exitCode, 0, stdout);
			// Shows that the drop-in was read.
			t.is(/✓ PrivateDevices=/.test(stdout), dropIns.length === 0);
			t.is(/char-nvidia\*:rw/.test(stdout), dropIns.length > 0);
		});
	}
} else {
	test("NOT RUN on this machine: systemd's checks of the worker's unit", (t) => {
		t.log("needs systemd-analyze (Debian: systemd)");
		t.pass();
	});
}

/** Reads the values of a setting of the unit, in order. */
async function readSettings(name: string, unit = UNIT): Promise<string[]> {
	const lines = (await readFile(unit, "utf8")).split("\n");
	return lines.filter((line) => line.startsWith(`${name}=`)).map((line) => line.slice(name.length + 1));
}

test("a GPU worker's command is the unit's with --gpus all", async (t) => {
	const [command = ""] = await readSettings("ExecStart");
	t.deepEqual(await readSettings("ExecStart", GPU), ["", command.replace(" worker ", " worker --gpus all ")]);
});

test("the unit's command, with its credentials and environment, starts a worker that joins", async (t) => {
	const etc = await newFolder();
	Object.assign(process.env, {
		TAILTUNE_COORDINATOR_PASSWORD: "of-coordinator",
		TAILTUNE_WORKER_PASSWORD: "of-worker",
		TAILTUNE_CLIENT_PASSWORD: "of-client",
	});
	const server = await startNatsServer({ config: NATS_CONFIG });
	t.teardown(() => server.stop());
	// Workers join only after a coordinator has connected to the NATS server once.
	const credentials = await readNatsCredentials({
		TAILTUNE_NATS_USER: "coordinator",
		TAILTUNE_NATS_PASSWORD: "of-coordinator",
	});
	await (await connectNatsBus({ servers: server.url, role: "coordinator", credentials })).close();
	// As in systemd: credentials are files in a folder %d; ${NATS} comes from the environment file.
	const secrets: Record<string, string> = { "nats-password": "of-worker", token: "of-the-test" };
	for (const credential of await readSettings("LoadCredential")) {
		const [name = "", source] = credential.split(":");
		t.is(source, `/etc/tailtune/${name}`);
		await writeFile(join(etc, name), `${secrets[name]}\n`);
	}
	const specifiers = (text: string) => text.replaceAll("%d", etc).replaceAll("%C", join(etc, "cache"));
	const assignments = (await readSettings("Environment")).flatMap((line) => specifiers(line).split(" "));
	const env = Object.fromEntries(assignments.map((assignment) => assignment.split("=")));
	const [execStart = ""] = await readSettings("ExecStart");
	const [program = "", ...args] = execStart
		.replace("/usr/bin/node", process.execPath)
		.replace("/opt/tailtune/tailtune.mjs", COMMAND)
		.replace(/\$\{NATS\}/, server.url)
		.split(" ");
	const worker = execa(program, args, { env, reject: false });
	t.teardown(() => void worker.kill("SIGKILL"));
	const joined = await readUntilJoined(worker.stdout);
	worker.kill("SIGTERM");
	const { exitCode, stderr } = await worker;
	t.is(exitCode, 0, stderr);
	t.true(joined);
});

/** Reads the output of a worker until it has joined. @returns false if it ended before */
async function readUntilJoined(output: Readable): Promise<boolean> {
	for await (const line of createInterface({ input: output })) if (/ joined /.test(line)) return true;
	return false;
}
