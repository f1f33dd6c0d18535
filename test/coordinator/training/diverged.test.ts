import { readdir } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { openEmbeddedCluster } from "../../../coordinator/cluster/embedded-cluster.ts";
import { RunEvents } from "../../../coordinator/events/run-events.ts";
import { train } from "../../../coordinator/training/train.ts";
import { resolveConfig } from "../../../shared/settings/resolve-config.ts";
import type { StartWorker } from "../../../shared/worker-port/running-worker.ts";
import { openEngines } from "../../../worker/engine/open-engines.ts";
import { startWorker } from "../../../worker/run/lifecycle.ts";
import { writeTexts } from "../../cli/tailtune.ts";
import { newFolder } from "../../new-folder.ts";

/** Starts a worker whose third gradient has one NaN, although its logits are finite. */
const withBadGradient: StartWorker = (options) => {
	let gradients = 0;
	return startWorker(options, {
		openEngines: async (...args) => {
			const engines = await openEngines(...args);
			const { tail } = engines;
			const faulty: typeof tail = {
				info: tail.info,
				load: (...of: Parameters<typeof tail.load>) => tail.load(...of),
				logits: (...of: Parameters<typeof tail.logits>) => tail.logits(...of),
				dispose: () => tail.dispose(),
				async gradient(...[inputs, form, gradient]: Parameters<typeof tail.gradient>) {
					const logits = await tail.gradient(inputs, form, gradient);
					if (++gradients === 3) gradient[gradient.length >> 1] = Number.NaN;
					return logits;
				},
			};
			return { ...engines, tail: faulty };
		},
	});
};

for (const clip of [undefined, 1])
	test(`a gradient that isn't finite is an error with its step, and no checkpoint is written${clip ? "; clipped" : ""}`, async (t) => {
		const folder = await newFolder();
		const config = await resolveConfig({
			data: await writeTexts(40),
			out: join(folder, "run"),
			model: "demo",
			checkpointEvery: 100,
			threads: 1,
			...(clip && { clip }),
			featureCache: 0,
		});
		const workerSide = { startWorker: withBadGradient, inspectEngines: async () => [], addWorkerCommand: () => {} };
		const trained = train(config, {
			openCluster: (run) => openEmbeddedCluster(workerSide, run),
			events: new RunEvents(),
			interrupt: new AbortController().signal,
		});
		await t.throwsAsync(trained, {
			code: "diverged",
			message: "step 3: the gradient's numbers aren't finite: training diverged; try a smaller --lr",
		});
		t.deepEqual(await readdir(folder), []);
	});
