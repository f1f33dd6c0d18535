import test from "ava";
import { chooseWorkers } from "../../../coordinator/cli/choose-workers.ts";
import type { ClusterRun } from "../../../coordinator/cluster/cluster.ts";
import { RunEvents } from "../../../coordinator/events/run-events.ts";
import { estimateMemory, warnIfMemoryIsShort } from "../../../coordinator/training/estimate-memory.ts";
import { GPT2_SIZES } from "../../../shared/model/random-model.ts";
import { plainTail } from "../../../shared/model/tail-spec.ts";
import type { WorkerSide } from "../../../shared/worker-port/worker-side.ts";

const GIB = 2 ** 30;

test("the estimated memory is near the measured peak of runs with random weights", (t) => {
	const measured = [
		["small", "TRAINABLE_LAST_BLOCK", 0.77],
		["small", "TRAINABLE_ALL", 3.28],
		["medium", "TRAINABLE_LAST_BLOCK", 1.73],
		["large", "TRAINABLE_LAST_BLOCK", 3.49],
		["xl", "TRAINABLE_LAST_BLOCK", 6.46],
	] as const;
	for (const [size, trainable, peak] of measured) {
		const estimate = estimateMemory(plainTail(trainable, 2), GPT2_SIZES[size], "fp32") / GIB;
		t.true(Math.abs(estimate / peak - 1) < 0.1, `${size} ${trainable}: estimated ${estimate}, measured ${peak}`);
	}
});

test("a run that needs more memory than is free is warned about, for all its processes", (t) => {
	const model = { config: GPT2_SIZES.xl } as Parameters<typeof warnIfMemoryIsShort>[0]["model"];
	const run = { model, tail: plainTail("TRAINABLE_LAST_BLOCK", 2), trunkPrecision: "fp32" } as const;
	const warnings: string[] = [];
	const warned = (processes: number, free: number, precision: "fp32" | "int8" = "fp32") => {
		const events = { warn: (line: string) => void warnings.push(line) };
		warnIfMemoryIsShort({ ...run, trunkPrecision: precision }, processes, events, free * GIB);
		return warnings.splice(0);
	};
	t.deepEqual(warned(1, 7), []);
	t.deepEqual(warned(2, 7, "int8"), []);
	t.deepEqual(warned(2, 7), [
		"this run needs about 13.0 GiB of memory, of which 7.0 GiB are free: the system may stop it; " +
			"a smaller model, --trainable head or --trunk-precision int8 needs less",
	]);
});

test("a command that trains several models warns about memory once", async (t) => {
	const events = new RunEvents();
	const warnings: string[] = [];
	events.listen((event) => event.event === "warning" && warnings.push(event.text));
	const startWorker = () => Promise.reject(new Error("no worker"));
	const workerSide = { startWorker } as unknown as WorkerSide;
	const { openCluster } = await chooseWorkers({}, workerSide, events, new AbortController().signal);
	for (const layers of [10, 100_000, 200_000]) {
		const model = { config: { ...GPT2_SIZES.small, n_layer: layers } };
		const tail = plainTail("TRAINABLE_LAST_BLOCK", 2);
		const run = { model, tail, trunkPrecision: "fp32", engine: {} } as unknown as ClusterRun;
		await t.throwsAsync(openCluster(run), { message: "no worker" });
	}
	await new Promise(setImmediate);
	t.is(warnings.length, 1);
	t.regex(warnings[0] ?? "", /^this run needs about 2\.6 TiB of memory, /);
});
