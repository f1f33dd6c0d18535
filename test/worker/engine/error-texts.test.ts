import { readFile } from "node:fs/promises";
import test from "ava";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { compileKernels, kernelsOver } from "../../../shared/vectors/kernels.ts";
import { DEVICE_IS_FULL, ONNX_NOT_A_TENSOR, WASM_OUT_OF_BOUNDS } from "../../../worker/engine/error-texts.ts";
import { GraphBuilder } from "../../../worker/engine/onnx/graph-builder.ts";
import { sessionOptions } from "../../../worker/engine/onnx/session.ts";

/** Libraries on whose error texts, private fields or undocumented behaviour Tailtune relies. */
const PINNED = ["onnxruntime-node", "@tensorflow/tfjs", "@tensorflow/tfjs-backend-wasm", "@grpc/grpc-js", "nats"];

test("libraries on whose error texts or private fields Tailtune relies are pinned exactly", async (t) => {
	const { dependencies } = JSON.parse(await readFile("package.json", "utf8"));
	for (const name of PINNED) {
		const { version } = JSON.parse(await readFile(`node_modules/${name}/package.json`, "utf8"));
		t.is(dependencies[name], version, name);
	}
});

/** Opens a session for one graph. */
async function open(t: { teardown(undo: () => Promise<void>): void }, build: (graph: GraphBuilder) => void) {
	const graph = new GraphBuilder("graph");
	build(graph);
	const session = await InferenceSession.create(graph.build(), sessionOptions({ threads: 1 }));
	t.teardown(() => session.release());
	return session;
}

test("ONNX Runtime's text for a result that is not a tensor", async (t) => {
	const session = await open(t, (graph) => graph.skipResultCopies(graph.float(0)));
	const [name = ""] = session.outputNames;
	await t.throwsAsync(session.run({}, { [name]: null }), { message: ONNX_NOT_A_TENSOR });
});

test("ONNX Runtime's text for memory that the device does not have", async (t) => {
	const session = await open(t, (graph) => {
		const size = graph.input("size", "int64", ["rank"]);
		graph.output("full", graph.op("ConstantOfShape", [size]), "float32", ["length"]);
	});
	const size = new Tensor("int64", BigInt64Array.of(1n << 44n), [1]);
	await t.throwsAsync(session.run({ size }), { message: DEVICE_IS_FULL });
});

test("V8's text for WebAssembly that writes to memory it did not get", (t) => {
	const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
	const kernels = kernelsOver(compileKernels(), memory);
	const call = { kernel: "findNotFinite", size: 1 << 20, at: [0], scalars: [] } as const;
	t.throws(() => kernels(call), { message: WASM_OUT_OF_BOUNDS });
});
