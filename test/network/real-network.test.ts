import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import ava, { type TestFn } from "ava";
import { execa } from "execa";
import { writeTexts } from "../cli/tailtune.ts";
import { hashWeights, RunProcess, startWorkerProcess, type WorkerProcess } from "../cluster/processes.ts";
import { newFolder } from "../new-folder.ts";
import type { Host } from "./host.ts";
import { DELAY_MS, findLinkKind, type LinkKind, MEGABITS_PER_SECOND } from "./link.ts";
import { buildNetwork, type Network, startNats } from "./network.ts";

interface Context {
	data: string;
	folder: string;
	network: Network;
	stopNats: () => Promise<void>;
	workers: WorkerProcess[];
}

const test = ava as TestFn<Context>;
const PARTITION_MS = 10_000;
/**
 * Enough epochs for the run to outlast the partition: the silent worker is missed after more than 3 s; then the other
 * one computes four gradients per step, each with at least three round trips, in 28 steps.
 */
const EPOCHS_OF_PARTITION = 5;
const LISTEN_PORT = 7070;
const PASSWORDS = {
	TAILTUNE_COORDINATOR_PASSWORD: "of-coordinator",
	TAILTUNE_WORKER_PASSWORD: "of-worker",
	TAILTUNE_CLIENT_PASSWORD: "of-client",
};
/** Bytes sent to measure a link's rate, and sent back: at least 1.5 s. */
const TRANSFER_BYTES = 20_000_000;
/** A link that needs longer for that stands still. */
const TRANSFER_LIMIT_MS = 60_000;
const TRANSFER = fileURLToPath(new URL("./transfer.ts", import.meta.url));

/** The way to make links on this machine, or the reason why there is none. */
const links = await findLinkKind().then(
	(kind) => ({ kind }),
	(error: Error) => ({ missing: error.message }),
);
if ("kind" in links) testOver(links.kind);
else announceNotRun(links.missing);

/** Reports that the tests didn't run; it passes without testing anything. */
function announceNotRun(missing: string): void {
	test("NOT RUN on this machine: a run over a network with delay and limited rate", (t) => {
		t.log(
			"needs root, iproute2 (ip netns, tc), and netem in the kernel or VDE's wirefilter and vde_switch (Debian: vde2, vde-wirefilter)",
		);
		t.log(missing);
		t.pass();
	});
}

function testOver(kind: LinkKind): void {
	const network = `three hosts, ${DELAY_MS} ms and ${MEGABITS_PER_SECOND} Mbit/s between them (${kind})`;

	test.before(async (t) => {
		const built = await buildNetwork(kind);
		t.context.network = built;
		const stopNats = await startNats(built.hub, PASSWORDS);
		t.context = { data: await writeTexts(40), folder: await newFolder(), network: built, stopNats, workers: [] };
	});

	test.afterEach.always(async ({ context }) => {
		for (const worker of context.workers.splice(0)) await worker.end();
	});

	test.after.always(async ({ context }) => {
		await context.stopNats?.();
		await context.network?.remove();
	});

	test.serial(`the network has that delay and rate, in both directions at once: ${network}`, async (t) => {
		const { hub, hubAddress, workers } = t.context.network;
		const echo = transfer(hub, "echo");
		await waitForLine(echo.stdout as Readable);
		const sent = await Promise.all(workers.map((host) => transfer(host, "send", hubAddress, `${TRANSFER_BYTES}`)));
		for (const { stdout, timedOut } of sent) {
			t.false(timedOut, `not all bytes came back within ${TRANSFER_LIMIT_MS / 1000} s`);
			const { connectMs, transferMs, echoed } = JSON.parse(stdout);
			t.is(echoed, TRANSFER_BYTES);
			t.log(`connected in ${connectMs.toFixed(1)} ms, ${((TRANSFER_BYTES * 8e-3) / transferMs).toFixed(1)} Mbit/s`);
			// Only lower limits: a busy machine is slower, but none is faster than its links.
			t.true(connectMs >= 2 * DELAY_MS);
			t.true(transferMs >= (TRANSFER_BYTES * 8e-3) / MEGABITS_PER_SECOND);
		}
		echo.kill();
		await echo;
	});

	test.serial(`the same bits as in one process: ${network}`, async (t) => {
		const expected = await bitsOfOneProcess(t.context, 2);
		const { run, out } = await beginRun(t.context, 2, t.context.network.hubAddress);
		t.is(await run.end(), "");
		t.is(await hashWeights(out), expected);
	});

	test.serial(`the same bits as in one process: ${network}, --advertise, one worker cut off for 10 s`, async (t) => {
		const expected = await bitsOfOneProcess(t.context, EPOCHS_OF_PARTITION);
		const { hubAddress } = t.context.network;
		const { run, out } = await beginRun(t.context, EPOCHS_OF_PARTITION, "0.0.0.0", [
			"--advertise",
			`${hubAddress}:${LISTEN_PORT}`,
		]);
		const [link] = t.context.network.links;
		await run.reach("epoch");
		await link.cut();
		await wait(PARTITION_MS);
		await link.restore();
		await run.reach("epoch");
		t.is(await run.end(), "");
		t.is(await hashWeights(out), expected);
	});
}

async function waitForLine(input: Readable): Promise<void> {
	for await (const line of createInterface({ input })) if (line) return;
	throw new Error("the receiver ended before it listened");
}

/** Runs transfer.ts on a host. */
function transfer({ prefix }: Host, ...args: string[]) {
	const [program = "", ...others] = [...prefix, "node", "--import=./test/load-typescript.mjs", TRANSFER, ...args];
	return execa(program, others, { reject: false, timeout: TRANSFER_LIMIT_MS, killSignal: "SIGKILL" });
}

async function bitsOfOneProcess({ data, folder }: Context, epochs: number): Promise<string> {
	const out = join(folder, `embedded-${epochs}`);
	const failure = await RunProcess.beginAt({}, data, out, ["--epochs", `${epochs}`]).end();
	if (failure) throw new Error(failure);
	return hashWeights(out);
}

/** Starts one worker per worker host and then the run, with the credentials of deploy/'s configuration. */
async function beginRun(
	{ data, folder, network, workers }: Context,
	epochs: number,
	listen: string,
	extra: readonly string[] = [],
) {
	const { hub, hubAddress } = network;
	const nats = `nats://${hubAddress}:4222`;
	const tokenFile = join(folder, "token");
	await writeFile(tokenFile, "a-token-of-the-test\n");
	const hostOptions = ({ prefix }: Host, user: "coordinator" | "worker") => {
		const password = PASSWORDS[`TAILTUNE_${user === "worker" ? "WORKER" : "COORDINATOR"}_PASSWORD`];
		const env = { TAILTUNE_NATS_USER: user, TAILTUNE_NATS_PASSWORD: password, TAILTUNE_TOKEN_FILE: tokenFile };
		return { prefix, env };
	};
	const starting = network.workers.map((host) =>
		startWorkerProcess(nats, join(folder, `cache-${host.name}`), hostOptions(host, "worker")),
	);
	workers.push(...(await Promise.all(starting)));
	const out = join(folder, `network-${epochs}`);
	const flags = ["--nats", nats, "--listen", `${listen}:${LISTEN_PORT}`, "--epochs", `${epochs}`, ...extra];
	return { run: RunProcess.beginAt(hostOptions(hub, "coordinator"), data, out, flags), out };
}
