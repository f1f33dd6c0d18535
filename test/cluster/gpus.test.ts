import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { execa } from "execa";
import { readNatsAccess } from "../../shared/bus/nats/credentials.ts";
import { connectNatsBus } from "../../shared/bus/nats/nats-bus.ts";
import { start } from "../cli/tailtune.ts";
import { startNatsServer } from "../nats-server.ts";
import { newFolder } from "../new-folder.ts";
import { pathWithNvidiaSmi } from "../nvidia-smi.ts";
import { listChildren, untilGone } from "./processes.ts";

// Real worker processes without GPUs: nvidia-smi is replaced by a script.

const PATH = await pathWithNvidiaSmi();

/** Starts a server that requires a token. Returns it and an environment with the token. */
async function startSecuredServer(t: ExecutionContext) {
	const folder = await newFolder();
	const [config, tokenFile] = [join(folder, "nats.conf"), join(folder, "token")];
	await writeFile(config, 'authorization: { token: "right" }\n');
	await writeFile(tokenFile, "right");
	const server = await startNatsServer({ config });
	t.teardown(() => server.stop());
	return { server, env: { PATH, TAILTUNE_NATS_TOKEN_FILE: tokenFile } };
}

/** Starts workers on two GPUs and waits until both have joined. */
async function startOnTwoGpus(t: ExecutionContext) {
	const { server, env } = await startSecuredServer(t);
	// Workers join only after a coordinator has connected to the NATS server once.
	await (await connectNatsBus({ servers: server.url, role: "coordinator", ...(await readNatsAccess(env)) })).close();
	const program = fileURLToPath(new URL("./gpus-program.ts", import.meta.url));
	const parent = execa(process.execPath, ["--import=./test/load-typescript.mjs", program, server.url], {
		env,
		reject: false,
	});
	t.teardown(() => parent.kill("SIGKILL"));
	const lines = createInterface({ input: parent.stdout })[Symbol.asyncIterator]();
	const reach = async (wanted: RegExp): Promise<void> => {
		for (;;) {
			const { value, done } = await lines.next();
			if (done) throw new Error(`ended before ${wanted}: ${(await parent).stderr}`);
			if (wanted.test(value)) return;
		}
	};
	const joined = new Set<string>();
	while (joined.size < 2) {
		const { value = "" } = await lines.next();
		const [, gpu] = /^(GPU [01]): worker \S+ joined nats:\S+: onnx cpu \(.+\), 1 thread, ./.exec(value) ?? [];
		if (gpu) joined.add(gpu);
	}
	return { server, env, parent, pid: parent.pid ?? 0, reach };
}

test.serial("each worker sees one GPU; a killed one is restarted, and SIGTERM ends all cleanly", async (t) => {
	const { server, env, parent, pid, reach } = await startOnTwoGpus(t);
	const environments = await Promise.all(
		(await listChildren(pid, " worker ")).map((child) => execa("ps", ["eww", `${child}`])),
	);
	const seen = environments.map(({ stdout }) => /CUDA_VISIBLE_DEVICES=(\S+)/.exec(stdout)?.[1]);
	t.deepEqual(seen.sort(), ["GPU-1f9a2b70", "GPU-c4d5e6f8"]);
	const [first = 0] = await listChildren(pid, " worker ");
	process.kill(first, "SIGKILL");
	await reach(/^GPU [01]: its worker ended with SIGKILL; starting another in 0\.5 s$/);
	await reach(/^GPU [01]: worker \S+ joined /);
	const children = await listChildren(pid, " worker ");
	t.is(children.length, 2);
	parent.kill("SIGTERM");
	t.like(await parent, { exitCode: 0, stderr: "" });
	await untilGone(children);
	const bus = await connectNatsBus({ servers: server.url, role: "client", ...(await readNatsAccess(env)) });
	t.teardown(() => bus.close());
	// The killed worker could not sign off.
	t.true((await bus.listWorkers()).length <= 1);
});

test.serial("workers on GPUs end with their parent process, even if it is killed", async (t) => {
	const { parent, pid } = await startOnTwoGpus(t);
	const children = await listChildren(pid, " worker ");
	t.is(children.length, 2);
	parent.kill("SIGKILL");
	await parent;
	await untilGone(children);
});

test("refused workers get the flags of the parent and are restarted only a few times", async (t) => {
	const { server, env } = await startSecuredServer(t);
	const flags = ["--nats", server.url, "--gpus", "1", "--feature-cache", "0", "--threads", "3"];
	await writeFile(env.TAILTUNE_NATS_TOKEN_FILE, "wrong");
	const parent = start(["worker", ...flags], env);
	let command = "";
	while (!command) {
		const [child] = await listChildren(parent.pid ?? 0, " worker ");
		if (child) command = (await execa("ps", ["ww", "-o", "args=", "-p", `${child}`], { reject: false })).stdout;
	}
	const called =
		/worker --nats nats:\S+ --engine auto --backend tensorflow --threads 3 --feature-memory \d+ --feature-cache 0 --require-gpu$/;
	t.regex(command, called);
	const { exitCode, stderr } = await parent;
	t.is(exitCode, 1);
	const givenUp =
		"tailtune: GPU 1: its worker ended 3 times before it had joined, the last time with code 1: tailtune: ";
	t.is(String(stderr).split("\n").at(-1), `${givenUp}NATS at ${server.url} rejects the credentials`);
});

test("errors that a restart can't fix are reported at once, in one line", async (t) => {
	const refused = async (path: string, ...flags: string[]) => {
		const { exitCode, stderr } = await start(["worker", "--nats", "nats://127.0.0.1:9", ...flags], { PATH: path });
		return `${exitCode} ${stderr}`;
	};
	const [none, unknown, webgpu] = await Promise.all([
		refused("/nowhere", "--gpus", "all"),
		refused(PATH, "--gpus", "0,2"),
		refused(PATH, "--gpus", "all", "--backend", "webgpu"),
	]);
	t.is(none, "1 tailtune: --gpus: found no nvidia-smi, expected it in PATH: it is part of NVIDIA's driver");
	t.is(unknown, '2 tailtune: --gpus: found "0,2", expected all or some of these GPUs: 0,1');
	t.regex(webgpu, /^2 tailtune: --gpus: found --backend webgpu, expected tensorflow or cuda, which can be limited/);
	const env = { PATH, TAILTUNE_NATS_USER: "me" };
	const wrong = await start(["worker", "--nats", "nats://127.0.0.1:9", "--gpus", "1"], env);
	t.regex(wrong.stderr, /\ntailtune: GPU 1: its worker ended with code 2: tailtune: TAILTUNE_NATS_USER and /);
});
