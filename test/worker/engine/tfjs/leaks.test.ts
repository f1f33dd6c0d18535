import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as tf from "@tensorflow/tfjs";
import test from "ava";
import { readInitialParameters } from "../../../../coordinator/base-model/initial-parameters.ts";
import { openModel } from "../../../../shared/model/open-model.ts";
import { plainTail } from "../../../../shared/model/tail-spec.ts";
import { type GradientForm, gradientForm, gradientLength } from "../../../../shared/updates/gradient-form.ts";
import { inspectEngines } from "../../../../worker/engine/inspect-engines.ts";
import { describeEngines } from "../../../../worker/engine/open-engines.ts";
import type { TfjsBackendName } from "../../../../worker/engine/tfjs/backend-names.ts";
import { openTfjsTail } from "../../../../worker/engine/tfjs/tail.ts";
import { IS_SLOW } from "../../../slow.ts";

/** A step loads 28,000 numbers and computes as many: one leaked copy per step would be 200 MiB in 2,000 steps. */
const GROWTH_MIB = 100;

/**
 * Memory is sampled in the last steps of each phase. A GPU emulated on the CPU allocates and frees 150 MiB from step to
 * step, so the minimum of the second phase is compared with the maximum of the first.
 */
const SAMPLED = 50;

/** Steps after which all buffers exist, and steps in total. */
const FULL = { warm: 500, steps: 2500 };
/** Enough to find leaked tensors, and memory only roughly. Always used for an emulated GPU: half a second per step. */
const SHORT = { warm: 50, steps: 110 };

const model = await openModel(new URL("../../../golden", import.meta.url).pathname);
const spec = plainTail("TRAINABLE_LAST_BLOCK", 2);
const usable = (await inspectEngines()).filter((one) => one.engine === "tfjs" && one.usable);

const lengths = usable.map(async (one) => {
	const backend = one.backend as TfjsBackendName;
	const { tail } = await describeEngines({ engine: "tfjs", backend, threads: 1 });
	return { backend, ...(IS_SLOW && (backend !== "webgpu" || tail.isGpu) ? FULL : SHORT) };
});

for (const { backend, warm, steps } of await Promise.all(lengths)) {
	test.serial(`${backend}: ${steps - warm} steps leave neither tensors nor memory behind`, async (t) => {
		const tail = await openTfjsTail(model, spec, { backend, threads: 1 });
		t.teardown(() => tail.dispose());
		const parameters = await readInitialParameters(model, spec, 1);
		const forms = [0, 1].map((texts) => gradientForm(spec, model.config, texts));
		const hidden = Float32Array.from({ length: 3 * model.config.n_embd }, (_, i) => Math.sin(i));
		const input = { hidden, tokens: new Uint32Array(3), poolFrom: 2, poolCount: 1, targets: Float32Array.of(0, 1) };
		let taken = 0;
		const step = async () => {
			await tail.load(parameters);
			const form = forms[taken++ % 2] as GradientForm;
			await tail.gradient([input], form, new Float32Array(gradientLength(form, 1)));
		};
		const memoryOver = async (count: number) => {
			const sampled: number[] = [];
			for (let i = count; i > 0; i--) {
				await step();
				if (i <= SAMPLED && i % 5 === 0) sampled.push(residentMib());
			}
			return sampled;
		};
		const before = Math.max(...(await memoryOver(warm)));
		const held = heldByTensors();
		const growth = Math.min(...(await memoryOver(steps - warm))) - before;
		t.deepEqual(heldByTensors(), held);
		t.log(`${before.toFixed(0)} MiB after ${warm} steps, ${growth.toFixed(0)} more after ${steps}`);
		t.true(growth < GROWTH_MIB, `grew by ${growth.toFixed(0)} MiB`);
	});
}

/** Number of tensors, and device memory of buffers that are in use or kept for the next step. */
function heldByTensors() {
	const { numTensors, ...others } = tf.memory();
	const { numBytesAllocatedInGPU: deviceBytes } = others as { numBytesAllocatedInGPU?: number };
	return { numTensors, deviceBytes };
}

/** Collects garbage first: its amount varies by more than a leak would add. */
function residentMib(): number {
	setFlagsFromString("--expose-gc");
	runInNewContext("gc")();
	return process.memoryUsage.rss() / 2 ** 20;
}
