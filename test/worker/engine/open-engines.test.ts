import test from "ava";
import type { TailSpec, Trainable } from "../../../shared/messages.ts";
import { openModel } from "../../../shared/model/open-model.ts";
import type { EngineChoice } from "../../../shared/worker-port/engine-choice.ts";
import { inspectEngines } from "../../../worker/engine/inspect-engines.ts";
import { systemProviders } from "../../../worker/engine/onnx/provider.ts";
import { describeEngines, openEngines } from "../../../worker/engine/open-engines.ts";

const model = await openModel(new URL("../../golden", import.meta.url).pathname);
const reports = await inspectEngines();

function specOf(trainable: Trainable): TailSpec {
	return { trainable, classes: 2, causal: true, loraRank: 2, loraScale: 2, loss: null };
}

test.serial("every engine and backend is reported, and those that npm ci installs can be used", (t) => {
	t.deepEqual(
		reports.map(({ engine, backend }) => `${engine} ${backend}`),
		["cpu", ...systemProviders()]
			.map((backend) => `onnx ${backend}`)
			.concat("tfjs tensorflow", "tfjs webgpu", "tfjs wasm", "tfjs cpu"),
	);
	for (const { engine, backend, usable, detail } of reports) {
		if (backend === "cpu" || backend === "wasm") t.true(usable, `${engine} ${backend}: ${detail}`);
		t.notRegex(detail, /\n/);
	}
});

test.serial("a usable engine is reported with its version, any other with how to install it", (t) => {
	for (const { usable, detail } of reports) t.regex(detail, usable ? /\d+\.\d+/ : /npm/);
});

test.serial("describeEngines describes the engines that openEngines opens", async (t) => {
	const choices: EngineChoice[] = [
		{ engine: "auto", backend: "auto", threads: 1 },
		{ engine: "onnx", backend: "cpu", threads: 1 },
		{ engine: "tfjs", backend: "wasm", threads: 1 },
	];
	for (const choice of choices) {
		const described = await describeEngines(choice);
		const { trunk, tail } = await openEngines(model, specOf("TRAINABLE_LAST_BLOCK"), choice);
		t.deepEqual({ trunk: trunk?.info, tail: tail.info }, described);
		t.is(trunk?.info.engine, choice.engine === "tfjs" ? "tfjs" : "onnx");
		await trunk?.dispose();
		await tail.dispose();
	}
});

test.serial("there is no trunk if the tail starts from tokens", async (t) => {
	for (const trainable of ["TRAINABLE_ALL", "TRAINABLE_LORA"] as const) {
		const { trunk, tail } = await openEngines(model, specOf(trainable), { engine: "auto", backend: "cpu", threads: 1 });
		t.is(trunk, undefined);
		await tail.dispose();
	}
});

test.serial("int8 products are refused if TensorFlow.js would compute the trunk", async (t) => {
	const choice = { engine: "tfjs", backend: "wasm", threads: 1, trunkPrecision: "int8" } as const;
	const error = await t.throwsAsync(openEngines(model, specOf("TRAINABLE_LAST_BLOCK"), choice), { code: "engine" });
	t.regex(error.message, /^--trunk-precision int8: found --engine tfjs, expected ONNX Runtime/);
	const { tail } = await openEngines(model, specOf("TRAINABLE_ALL"), choice);
	await tail.dispose();
});

test.serial("a backend that isn't installed is refused in one line", async (t) => {
	if (reports.some(({ backend, usable }) => backend === "tensorflow" && usable)) {
		t.pass();
		return;
	}
	const error = await t.throwsAsync(describeEngines({ engine: "tfjs", backend: "tensorflow", threads: 1 }));
	t.like(error, { name: "TailtuneError", code: "engine" });
	t.regex(
		error.message,
		/^tfjs: tensorflow: neither @tensorflow\/tfjs-node-gpu nor @tensorflow\/tfjs-node is installed$/,
	);
});

test.serial("if a GPU is required, engines that compute on the CPU are refused", async (t) => {
	for (const [engine, found] of [
		["onnx", "onnx cpu"],
		["tfjs", "tfjs wasm"],
	] as const) {
		const choice = { engine, backend: "wasm", threads: 1, requireGpu: true } as const;
		const expected = {
			code: "engine",
			message: new RegExp(`^--require-gpu: ${found} computes on .+, expected a GPU: `),
		};
		await t.throwsAsync(describeEngines(choice), expected);
		await t.throwsAsync(openEngines(model, specOf("TRAINABLE_LAST_BLOCK"), choice), expected);
	}
	const auto = { engine: "auto", backend: "cpu", threads: 1, requireGpu: true } as const;
	await t.throwsAsync(describeEngines(auto), { message: /^--require-gpu: tfjs cpu computes on / });
});
