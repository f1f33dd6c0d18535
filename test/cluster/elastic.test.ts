import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import ava, { type ExecutionContext, type TestFn } from "ava";
import { connect, headers } from "nats";
import { readRunResult } from "../../coordinator/run-folder/result-files.ts";
import { connectTensors } from "../../worker/exchange/grpc-worker-tensors.ts";
import { ENGINE, writeTexts } from "../cli/tailtune.ts";
import { startNatsServer, type TestServer } from "../nats-server.ts";
import { newFolder } from "../new-folder.ts";
import { connectClusterBus, takeItem } from "./intruder.ts";
import { hashWeights, RUN, RunProcess, startWorkerProcess, type WorkerProcess } from "./processes.ts";

// Promises 2 (elastic determinism), 3 (nothing lost or counted twice) and 4 (resumable) of the design.

interface Context {
	data: string;
	folder: string;
	server: TestServer;
	/** Hash of the weights of a run in one process. */
	expected: string;
	workers: WorkerProcess[];
	cleanUps: (() => Promise<void>)[];
}

const test = ava as TestFn<Context>;

/** Texts per label, so that a run takes some seconds with each engine. */
const TEXTS = ENGINE.length > 0 ? 60 : 120;

// The more a model learns from `train`, the worse it is on the same texts with the other label.
const train = await writeTexts(60);
const confusing = join(await newFolder(), "confusing.tsv");
await writeFile(confusing, await swapLabels(train));

/** A running run that a test disturbs. */
interface Disturbed extends Context {
	out: string;
	run: RunProcess;
}

test.before(async (t) => {
	const folder = await newFolder();
	const data = await writeTexts(TEXTS);
	t.context = {
		data,
		folder,
		server: await startNatsServer(),
		expected: await hashEmbedded(data, join(folder, "embedded")),
		workers: [],
		cleanUps: [],
	};
});

// Workers that are still running are used by the next test: starting one takes seconds of processor time.
test.afterEach.always(async ({ context, passed }) => {
	const all = context.workers.splice(0);
	context.workers.push(...all.filter(({ isRunning }) => passed && isRunning));
	for (const worker of all) if (!context.workers.includes(worker)) await worker.end();
	for (const cleanUp of context.cleanUps.splice(0)) await cleanUp();
});

test.after.always(async ({ context }) => {
	for (const worker of context.workers) await worker.end();
	await context.server.stop();
});

/**
 * Tests a run that starts with `workers` workers.
 * @param disturb called after its first epoch; returns the process that continues the run, if it is another one
 * @param check called after the end of the run
 * @param flags more flags of the run
 */
function elastic(
	title: string,
	workers: number,
	disturb: (disturbed: Disturbed) => Promise<RunProcess | undefined>,
	check: (t: ExecutionContext<Context>, out: string, run: RunProcess) => Promise<void> = async () => {},
	flags: readonly string[] = [],
) {
	test.serial(`the same bits as in one process: ${title}`, async (t) => {
		const { context } = t;
		const out = join(context.folder, title.replaceAll(/\W/g, "-"));
		for (const worker of context.workers.splice(workers)) await worker.end();
		await Promise.all(Array.from({ length: workers - context.workers.length }, () => addWorker(context)));
		const expected = flags.length > 0 ? await hashEmbedded(context.data, `${out}-embedded`, flags) : context.expected;
		const run = begin(context.data, out, "--nats", context.server.url, ...flags);
		await run.reach("epoch");
		const last = (await disturb({ ...context, out, run })) ?? run;
		t.is(await last.end(), "");
		t.is(await hashWeights(out), expected);
		await check(t, out, last);
	});
}

/** Runs in one process. Returns the hash of the weights. */
async function hashEmbedded(data: string, out: string, flags: readonly string[] = []): Promise<string> {
	const failure = await begin(data, out, ...flags).end();
	if (failure) throw new Error(failure);
	return hashWeights(out);
}

/** Returns the rows of a file of texts, each with the other label. */
async function swapLabels(file: string): Promise<string> {
	const rows = await readFile(file, "utf8");
	return rows.replaceAll(/^(?:ham|spam)(?=\t)/gm, (label) => (label === "ham" ? "spam" : "ham"));
}

/** Starts a run on `data`, unless flags name its sets. */
function begin(data: string, out: string, ...flags: readonly string[]): RunProcess {
	const sets = flags.includes("--train") ? [] : ["--data", data];
	return new RunProcess([...sets, "--out", out, ...RUN, ...flags]);
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

elastic(
	"all workers are stopped until they are given up, and continued",
	2,
	async ({ workers, run }) => {
		for (const worker of workers) worker.signal("SIGSTOP");
		await run.reach("notice", ({ text }) => text === "no workers: waiting for one to join");
		for (const worker of workers) worker.signal("SIGCONT");
		return undefined;
	},
	async (t, _out, { seen }) => {
		const silent = JSON.stringify(
			seen.filter(({ event, reason }) => event === "worker-left" && reason === "no-heartbeat"),
		);
		// Workers killed by the previous test may be silent too.
		for (const { id } of t.context.workers) t.true(silent.includes(`"workerId":"${id}"`), silent);
	},
);

elastic(
	"every item and its answer arrive twice",
	2,
	async ({ server, cleanUps }) => {
		const raw = await connect({ servers: server.url });
		cleanUps.push(() => raw.close());
		const mark = headers();
		mark.set("Echo", "yes");
		// The repeated message has no header for the server's deduplication.
		raw.subscribe("tailtune.work.>", {
			callback: (_, { subject, data, headers: found }) => {
				if (!found?.has("Echo")) raw.publish(subject, data, { headers: mark });
			},
		});
		return undefined;
	},
	async (t, out) => {
		const { ignored } = (await readRunResult(out)).audit;
		t.true(ignored.double + ignored.stale > 100, JSON.stringify(ignored));
	},
);

elastic(
	"a late answer with wrong numbers arrives after its shard was given to another worker",
	2,
	async ({ server, out, run }) => {
		const bus = await connectClusterBus(server.url);
		const { item, spec, schema, answer, leave } = await takeItem(bus, out, "slow");
		await leave();
		await run.reach("epoch");
		const tensors = await connectTensors(spec.tensorsAddress, { workerId: "slow" });
		tensors.openRun(item.runId, schema);
		await tensors.putAnswer(answer);
		await tensors.close();
		await bus.close();
		return undefined;
	},
	async (t, out) => {
		const { audit } = await readRunResult(out);
		t.deepEqual(audit.ignored, { double: 0, stale: 1, stray: 0 });
	},
);

elastic("a NATS server killed and restarted with its files", 2, async ({ server }) => {
	await server.restart();
	return undefined;
});

elastic("a NATS server killed and restarted with nothing", 2, async ({ server }) => {
	await server.restart({ wipe: true });
	return undefined;
});

// Only with the default engine: with native ones they take too long.
if (ENGINE.length === 0) {
	elastic(
		"dense gradients of accumulated batches, clipped, with a schedule; all workers are killed and another one joins late",
		2,
		async (context) => {
			for (const worker of context.workers) worker.signal("SIGKILL");
			await addWorker(context);
			return undefined;
		},
		async (t, _out, { seen }) => {
			const late = t.context.workers.at(-1)?.id ?? "";
			const joined = JSON.stringify(seen.filter(({ event }) => event === "worker-joined"));
			t.true(joined.includes(late), `the run ended without the late worker: ${joined}`);
		},
		[
			...["--token", "mean", "--accumulate", "2", "--shards", "2"],
			...["--schedule", "cosine", "--warmup", "3", "--clip", "0.5", "--decay", "matrices"],
		],
	);

	elastic(
		"dense gradients and factors; the weights that are kept are those of an earlier epoch",
		2,
		async () => undefined,
		async (t, out) => {
			const { epoch, reason } = (await readRunResult(out)).kept;
			t.deepEqual({ epoch, reason }, { epoch: 1, reason: "best" });
		},
		[
			...["--train", train, "--validation", confusing, "--test", train],
			// Of a step's 32 texts some weights have dense gradients, which are factors in its parts.
			...["--trainable", "last-two-blocks", "--accumulate", "4", "--keep", "best", "--metric", "loss"],
		],
	);
}

elastic("a coordinator killed and resumed", 2, async ({ server, out, run }) => {
	run.signal("SIGKILL");
	await run.end();
	return new RunProcess(["--resume", out, "--nats", server.url]);
});
