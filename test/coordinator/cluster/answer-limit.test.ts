import { readdir } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { assertAnswerFits, textsOfLargestItem } from "../../../coordinator/cluster/answer-limit.ts";
import { openEmbeddedCluster } from "../../../coordinator/cluster/embedded-cluster.ts";
import { RunEvents } from "../../../coordinator/events/run-events.ts";
import { train } from "../../../coordinator/training/train.ts";
import { workResultCodec } from "../../../shared/messages.ts";
import { resolveConfig } from "../../../shared/settings/resolve-config.ts";
import type { StartWorker } from "../../../shared/worker-port.ts";
import { startWorker } from "../../../worker/run/lifecycle.ts";
import { writeTexts } from "../../cli/tailtune.ts";
import { newFolder } from "../../new-folder.ts";
import { someResult } from "../../shared/bus/messages.ts";

test("an answer that fits is let through, one that doesn't is refused before anything is computed", (t) => {
	const limit = 1_048_576 - 1024;
	for (const classes of [2, 7, 100, 768]) {
		const most = Math.floor((limit - 1024) / (4 * classes));
		t.notThrows(() => assertAnswerFits(most, classes, limit));
		const ids = {
			runId: "r".repeat(180),
			workerId: "w".repeat(200),
			trunkEngine: "onnx cuda",
			tailEngine: "tfjs tensorflow",
		};
		const answer = someResult({ ...ids, logits: Array(most * classes).fill(0.5) });
		t.true(workResultCodec.encode(answer).length <= limit);
		const refused = { code: "usage", message: /found an answer of \d+ bytes, expected at most 1047552.*--batch/ };
		t.throws(() => assertAnswerFits(most + 1, classes, limit), refused);
	}
	t.notThrows(() => assertAnswerFits(1e9, 1000, Number.POSITIVE_INFINITY));
});

test("the largest item of a run has at least its share of a step, or of a round of local steps", (t) => {
	const sizes = { batch: 64, shards: 3, accumulate: 2, localSteps: 1, texts: 1000 };
	t.is(textsOfLargestItem(sizes), 22);
	t.is(textsOfLargestItem({ ...sizes, localSteps: 5 }), 214);
	t.is(textsOfLargestItem({ ...sizes, localSteps: 50 }), 320, "a round ends with the epoch");
});

test("a run whose answers are too large for the bus is refused before a worker computes anything", async (t) => {
	const folder = await newFolder();
	const settings = { out: join(folder, "run"), model: "demo", batch: 20, threads: 1, featureCache: 0 };
	const config = await resolveConfig({ data: await writeTexts(60), ...settings });
	let opened = 0;
	const withSmallBus: StartWorker = (options) => {
		Object.defineProperty(options.bus, "maxMessageBytes", { value: 1100 });
		const openEngines = async () => {
			opened++;
			throw new Error("nothing is to be computed");
		};
		return startWorker(options, { openEngines });
	};
	const workerSide = { startWorker: withSmallBus, inspectEngines: async () => [], addWorkerCommand: () => {} };
	const trained = train(config, {
		openCluster: (run) => openEmbeddedCluster(workerSide, run),
		events: new RunEvents(),
		interrupt: new AbortController().signal,
	});
	await t.throwsAsync(trained, { code: "usage", message: /^20 texts with 2 labels each in one item: .*--batch/ });
	t.is(opened, 0);
	t.deepEqual(await readdir(folder), []);
});
