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

test("workers with another engine or version than the first one's take no part, and it is said once for each", (t) => {
	const { told, accepts } = setUp(false);
	t.true(accepts({}));
	t.true(accepts({ workerId: "another" }));
	t.deepEqual(told, []);
	t.false(accepts({ version: "2.0" }));
	t.false(accepts({ version: "2.0" }));
	t.false(accepts({ tailEngine: "onnx cpu" }));
	t.true(accepts({ threads: 4 }));
	const end =
		"expected onnx cpu and tfjs wasm (1.0) like the run's first worker, because other engines round differently; --mixed-engines lets it take part";
	t.deepEqual(told, [
		`engines: worker worker takes no part: found onnx cpu and tfjs wasm (2.0), ${end}`,
		`engines: worker worker takes no part: found onnx cpu (1.0), ${end}`,
	]);
});

test("where it is allowed they take part, and it is said; so it is of other processors", (t) => {
	const end = "which may round differently: the result depends on who computes";
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
