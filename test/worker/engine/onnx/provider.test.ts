import test from "ava";
import { openModel } from "../../../../shared/model/open-model.ts";
import { plainTail } from "../../../../shared/model/tail-spec.ts";
import type { EngineChoice } from "../../../../shared/worker-port/engine-choice.ts";
import { inspectEngines } from "../../../../worker/engine/inspect-engines.ts";
import { ONNX_PROVIDERS, type OnnxProvider, systemProviders } from "../../../../worker/engine/onnx/provider.ts";
import { onnxInfo, sessionOptions } from "../../../../worker/engine/onnx/session.ts";
import { openOnnxTail } from "../../../../worker/engine/onnx/tail.ts";
import { openOnnxTrunk } from "../../../../worker/engine/onnx/trunk.ts";
import { describeEngines, openEngines } from "../../../../worker/engine/open-engines.ts";

const model = await openModel(new URL("../../../golden", import.meta.url).pathname);
const spec = plainTail("TRAINABLE_LAST_BLOCK", 2);
/** A provider that this system does not have. */
const foreign = ONNX_PROVIDERS.find((provider) => !systemProviders().includes(provider)) as OnnxProvider;

test("ONNX Runtime gets the chosen provider and no other", (t) => {
	for (const provider of ONNX_PROVIDERS) {
		t.deepEqual(sessionOptions({ threads: 1, backend: provider }).executionProviders, [provider]);
		t.is(onnxInfo({ threads: 1, backend: provider }).backend, provider);
	}
	for (const backend of ["auto", "cpu", "wasm", "tensorflow"] as const) {
		t.deepEqual(sessionOptions({ threads: 1, backend }).executionProviders, ["cpu"]);
	}
	t.deepEqual(sessionOptions({ threads: 1 }).executionProviders, ["cpu"]);
	t.is(sessionOptions({ threads: 1, backend: "dml" }).enableMemPattern, false);
});

test("trunk and tail are opened on the provider, without a fallback", async (t) => {
	const refused = { code: "engine", message: new RegExp(`^ONNX Runtime: .*${foreign}`) };
	const options = { threads: 1, backend: foreign };
	await t.throwsAsync(openOnnxTrunk(model, spec, options), refused);
	const tail = await openOnnxTail(model, spec, options);
	const hidden = new Float32Array(model.config.n_embd);
	const input = { hidden, tokens: new Uint32Array(1), poolFrom: 0, poolCount: 1, targets: Float32Array.of(1, 0) };
	await t.throwsAsync(tail.logits([input]), refused);
});

test("a provider of other systems is refused, and the error names these systems", async (t) => {
	for (const engine of ["onnx", "auto"] as const) {
		const choice: EngineChoice = { engine, backend: foreign, threads: 1 };
		const message = new RegExp(
			`^onnx ${foreign}: found ${process.platform} ${process.arch}, expected (linux|win32|darwin) `,
		);
		await t.throwsAsync(describeEngines(choice), { code: "engine", message });
		await t.throwsAsync(openEngines(model, spec, choice), { code: "engine", message });
	}
});

test("a provider of this system can be used, or the error names the missing requirement", async (t) => {
	const reports = await inspectEngines();
	for (const provider of systemProviders()) {
		const report = reports.find(({ engine, backend }) => engine === "onnx" && backend === provider);
		if (!report?.usable)
			t.regex(
				report?.detail ?? "",
				/found no \S+\.so, install it with: node \S+install\.js .+cuDNN|ONNX Runtime: .+, expected /,
			);
	}
	t.pass();
});

test("a computation that a provider does not support is refused, not done on the CPU", async (t) => {
	const refused = async (how: Partial<EngineChoice & { trunkPrecision: "int8" }>) => {
		const choice = { engine: "onnx", backend: "cuda", threads: 1, ...how } as const;
		return (await t.throwsAsync(openEngines(model, spec, choice), { code: "engine" })).message;
	};
	t.is(
		await refused({ trunkPrecision: "int8" }),
		"--trunk-precision int8: found --backend cuda, expected ONNX Runtime on the CPU: no other engine has int8",
	);
	t.is(await refused({ engine: "tfjs" }), "--backend cuda: found --engine tfjs, expected --engine onnx");
});
