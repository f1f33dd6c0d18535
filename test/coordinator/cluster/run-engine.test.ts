import test from "ava";
import { RunEngine } from "../../../coordinator/cluster/run-engine.ts";
import { Notices } from "../../../shared/notices.ts";
import { someWorker } from "../../shared/bus/messages.ts";

function setUp(areMixed: boolean) {
	const told: string[] = [];
	const engine = new RunEngine(new Notices(({ kind, text }) => told.push(`${kind}: ${text}`)), areMixed);
	const accepts = (fields: object) => engine.accepts({ ...someWorker("worker"), ...fields });
	return { told, accepts };
}

test("workers with another engine or version than the first worker's take no part, with one notice for each", (t) => {
	const { told, accepts } = setUp(false);
	t.true(accepts({}));
	t.true(accepts({ workerId: "another" }));
	t.deepEqual(told, []);
	t.false(accepts({ version: "2.0" }));
	t.false(accepts({ version: "2.0" }));
	t.false(accepts({ tailEngine: "onnx cpu" }));
	t.true(accepts({ threads: 4 }));
	const end =
		"expected onnx cpu and tfjs wasm (1.0) like the run's first worker, because other engines round differently; use --mixed-engines to allow it";
	t.deepEqual(told, [
		`engines: worker worker takes no part: found onnx cpu and tfjs wasm (2.0), ${end}`,
		`engines: worker worker takes no part: found onnx cpu (1.0), ${end}`,
	]);
});

test("if mixed engines are allowed they take part, with a notice; other processors give a notice too", (t) => {
	const end = "which may round differently: the result depends on the workers";
	const mixed = setUp(true);
	t.true(mixed.accepts({}));
	t.true(mixed.accepts({ version: "2.0" }));
	t.deepEqual(mixed.told, [
		`engines: workers compute with onnx cpu and tfjs wasm (1.0) and onnx cpu and tfjs wasm (2.0), ${end}`,
	]);
	const { told, accepts } = setUp(false);
	t.true(accepts({}));
	t.true(accepts({ device: "another processor" }));
	t.deepEqual(told, [`engines: workers compute with cpu and another processor, ${end}`]);
});
