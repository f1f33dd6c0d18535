import { join } from "node:path";
import ava, { type TestFn } from "ava";
import { newFolder, writeTexts } from "../cli/tailtune.ts";
import { startNatsServer, type TestServer } from "../nats-server.ts";
import { RunProcess, startWorkerProcess, type WorkerProcess, weightsHash } from "./processes.ts";

interface Context {
	data: string;
	folder: string;
	server: TestServer;
	/** Hash of the weights of a run in one process. */
	expected: string;
	workers: WorkerProcess[];
}

const test = ava as TestFn<Context>;

test.before(async (t) => {
	const folder = await newFolder();
	const data = await writeTexts(120);
	const out = join(folder, "embedded");
	const failure = await RunProcess.begin(data, out).end();
	if (failure) throw new Error(failure);
	t.context = { data, folder, server: await startNatsServer(), expected: await weightsHash(out), workers: [] };
});

test.afterEach.always(async ({ context }) => {
	for (const worker of context.workers.splice(0)) await worker.end();
});

test.after.always(async ({ context }) => {
	await context.server.stop();
});

/** A run with so many workers to begin with; `disturb` is called after its first epoch. */
function elastic(
	title: string,
	workers: number,
	disturb: (context: Context, out: string, run: RunProcess) => Promise<RunProcess | undefined>,
) {
	test.serial(`the same bits as in one process: ${title}`, async (t) => {
		const { context } = t;
		const out = join(context.folder, title.replaceAll(/\W/g, "-"));
		for (let i = 0; i < workers; i++) await addWorker(context);
		const run = RunProcess.begin(context.data, out, context.server.url);
		await run.reach("epoch");
		const last = (await disturb(context, out, run)) ?? run;
		t.is(await last.end(), "");
		t.is(await weightsHash(out), context.expected);
	});
}

async function addWorker({ folder, server, workers }: Context): Promise<void> {
	workers.push(await startWorkerProcess(server.url, join(folder, "cache")));
}

elastic("one worker", 1, async () => undefined);

elastic("three workers", 3, async () => undefined);

elastic("three workers, one killed and another joining late", 3, async (context) => {
	context.workers[1]?.signal("SIGKILL");
	await addWorker(context);
	return undefined;
});

elastic("two workers, one of which falls silent", 2, async ({ workers }) => {
	workers[0]?.signal("SIGSTOP");
	return undefined;
});

elastic("a NATS server killed and restarted with its files", 2, async ({ server }) => {
	await server.restart();
	return undefined;
});

elastic("a NATS server killed and restarted with nothing", 2, async ({ server }) => {
	await server.restart({ wipe: true });
	return undefined;
});

elastic("a coordinator killed and resumed", 2, async ({ server }, out, run) => {
	run.kill();
	await run.end();
	return new RunProcess(["--resume", out, "--nats", server.url]);
});
