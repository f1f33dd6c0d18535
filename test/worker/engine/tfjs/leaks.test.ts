import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as tf from "@tensorflow/tfjs";
import test from "ava";
import type { TailSpec } from "../../../../shared/messages.ts";
import { initialParameters } from "../../../../shared/model/initial-parameters.ts";
import { openModel } from "../../../../shared/model/open-model.ts";
import { parameterLayout } from "../../../../shared/model/parameter-layout.ts";
import { inspectEngines } from "../../../../worker/engine/inspect-engines.ts";
import type { TfjsBackendName } from "../../../../worker/engine/tfjs/backend.ts";
import { openTfjsTail } from "../../../../worker/engine/tfjs/tail.ts";

/** Steps after which every buffer has been met, and steps in all. */
const WARM = 500;
const STEPS = 2500;
/** A step loads 28,000 numbers and makes as many: a copy kept a step would be 200 MiB. */
const GROWTH_MIB = 100;

const model = await openModel(new URL("../../../golden", import.meta.url).pathname);
const spec: TailSpec = { trainable: "TRAINABLE_LAST_BLOCK", classes: 2, causal: true, loraRank: 0, loraScale: 0 };
const usable = (await inspectEngines()).filter((one) => one.engine === "tfjs" && one.usable);

for (const backend of usable.map((one) => one.backend as TfjsBackendName)) {
	test.serial(`${backend}: 2,000 steps leave neither tensors nor memory behind`, async (t) => {
		const tail = await openTfjsTail(model, spec, { backend, threads: 1 });
		t.teardown(() => tail.dispose());
		const parameters = await initialParameters(model, spec, 1);
		const gradient = new Float32Array(parameterLayout(spec, model.config).trainedSize);
		const hidden = Float32Array.from({ length: 3 * model.config.n_embd }, (_, i) => Math.sin(i));
		const input = { hidden, tokens: new Uint32Array(3), poolFrom: 2, poolCount: 1, label: 1 };
		const step = async () => {
			await tail.load(parameters);
			await tail.gradient([input], gradient);
		};
		for (let i = 0; i < WARM; i++) await step();
		const [tensors, before] = [tf.memory().numTensors, residentMib()];
		for (let i = WARM; i < STEPS; i++) {
			await step();
			if (i % WARM === 0) residentMib();
		}
		t.is(tf.memory().numTensors, tensors);
		const growth = residentMib() - before;
		t.log(`${before.toFixed(0)} MiB after ${WARM} steps, ${growth.toFixed(0)} more after ${STEPS}`);
		t.true(growth < GROWTH_MIB, `grew by ${growth.toFixed(0)} MiB`);
	});
}

/** Without what the collector has not got round to: that alone swings by more than a leak would add. */
function residentMib(): number {
	setFlagsFromString("--expose-gc");
	runInNewContext("gc")();
	return process.memoryUsage.rss() / 2 ** 20;
}
