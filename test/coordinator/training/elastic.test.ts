import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import type { OpenCluster } from "../../../coordinator/cluster/cluster.ts";
import { openEmbeddedCluster } from "../../../coordinator/cluster/embedded-cluster.ts";
import { RunEvents } from "../../../coordinator/events/run-events.ts";
import { train } from "../../../coordinator/training/train.ts";
import type { WorkerTensors } from "../../../shared/exchange/tensor-exchange.ts";
import type { TrainConfig } from "../../../shared/settings/config.ts";
import { resolveConfig } from "../../../shared/settings/resolve-config.ts";
import type { RunningWorker, StartWorker, WorkerOptions } from "../../../shared/worker-port/running-worker.ts";
import { startWorker } from "../../../worker/run/lifecycle.ts";
import { sampleTexts } from "../../cli/tailtune.ts";
import { newFolder } from "../../new-folder.ts";

/** Trains on four shards with the given workers and other settings. Returns the hash of the weights. */
async function hashTrained(data: string, start: StartWorker, flags: Partial<TrainConfig> = {}): Promise<string> {
	const out = join(await newFolder(), "run");
	const workerSide = {
		startWorker: start,
		inspectEngines: async () => [],
		measureRates: async () => [],
		addWorkerCommand: () => {},
	};
	const openCluster: OpenCluster = (run) => openEmbeddedCluster(workerSide, run);
	const settings = { data, out, model: "demo", epochs: 2, lr: 1e-3, shards: 4, threads: 1, featureCache: 0, ...flags };
	const config = await resolveConfig(settings);
	await train(config, { openCluster, events: new RunEvents(), interrupt: new AbortController().signal });
	return createHash("sha256")
		.update(await readFile(join(out, "model", "model.safetensors")))
		.digest("hex");
}

/** Every option of the optimizer, and repeated texts. */
const OPTIONS = { balance: "oversample", schedule: "linear", warmup: 0.1, clip: 1, decay: "matrices" } as const;

/** Writes texts of two classes, of which one has twice as many texts as the other. */
async function writeUneven(texts: number): Promise<string> {
	const data = join(await newFolder(), "texts.tsv");
	const lines = sampleTexts(texts).split("\n");
	await writeFile(data, lines.filter((_, i) => i % 4 !== 0).join("\n"));
	return data;
}

/** Starts several workers on one bus. @param onAnswer gets the number of answers; it may stop or start workers */
function startSeveral(
	count: number,
	onAnswer: (answers: number, workers: RunningWorker[], more: () => Promise<void>) => void,
): StartWorker {
	return async (options) => {
		const workers: RunningWorker[] = [];
		let answers = 0;
		const connect: WorkerOptions["connect"] = async (...args) => {
			const connection = await options.connect(...args);
			const putAnswer: WorkerTensors["putAnswer"] = async (answer) => {
				await connection.tensors.putAnswer(answer);
				onAnswer(++answers, workers, more);
			};
			const tensors = new Proxy(connection.tensors, {
				get: (target, key) => (key === "putAnswer" ? putAnswer : bound(target, key)),
			});
			return { ...connection, tensors };
		};
		const more = async () => void workers.push(await startWorker({ ...options, connect }));
		for (let i = 0; i < count; i++) await more();
		const [first] = workers;
		if (!first) throw new Error("expected a worker");
		return {
			info: first.info,
			stopped: first.stopped,
			stop: async () => void (await Promise.all(workers.map((of) => of.stop()))),
		};
	};
}

// Methods must be bound to the object, because private fields aren't accessible by a proxy.
function bound(target: object, key: string | symbol): unknown {
	const value: unknown = Reflect.get(target, key);
	return typeof value === "function" ? value.bind(target) : value;
}

test("the weights are the same bits with 1 worker, with 3, and if workers leave and join during the run", async (t) => {
	const data = await writeUneven(48);
	const alone = await hashTrained(data, startWorker, OPTIONS);
	const nothing = () => {};
	const three = await hashTrained(data, startSeveral(3, nothing), OPTIONS);
	let left = 0;
	const leaveAndJoin: Parameters<typeof startSeveral>[1] = (answers, workers, more) => {
		if (answers === 15) left = workers.splice(1, 1).map((worker) => worker.stop()).length;
		if (answers === 25) void more();
	};
	const changing = await hashTrained(data, startSeveral(3, leaveAndJoin), OPTIONS);
	t.is(left, 1);
	t.is(three, alone);
	t.is(changing, alone);
});

test("with several labels per text the weights are the same bits with 1 worker and with 3", async (t) => {
	const lines = sampleTexts(30).split("\n");
	const data = join(await newFolder(), "texts.tsv");
	await writeFile(data, lines.map((line, i) => (i % 3 === 0 ? line.replace("\t", "|odd\t") : line)).join("\n"));
	const flags = { multiLabel: true, labelSmoothing: 0.1, epochs: 1 } as const;
	const alone = await hashTrained(data, startWorker, flags);
	const three = startSeveral(3, () => {});
	t.is(await hashTrained(data, three, flags), alone);
});

test("with class weights, label smoothing and micro-batches the weights are the same bits with 1 worker and with 3", async (t) => {
	const data = await writeUneven(60);
	// Of a step's 32 texts some weights have dense gradients, which are factors in its parts.
	const flags = { balance: "weights", labelSmoothing: 0.1, accumulate: 4, epochs: 1 } as const;
	const alone = await hashTrained(data, startWorker, flags);
	const three = startSeveral(3, () => {});
	t.is(await hashTrained(data, three, flags), alone);
	for (const change of [{ balance: "none" }, { labelSmoothing: 0 }] as const)
		t.not(await hashTrained(data, startWorker, { ...flags, ...change }), alone);
});
