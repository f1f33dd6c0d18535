import test from "ava";
import { type RunSpec, runSpecCodec } from "../../../shared/messages.ts";
import { TRUNK_PRECISION_BY_NAME, TRUNK_PRECISIONS, trunkPrecisionOf } from "../../../shared/model/trunk-precision.ts";
import { someRun } from "../bus/messages.ts";

test("a worker reads the precision announced by the coordinator", (t) => {
	for (const name of TRUNK_PRECISIONS) {
		const run = someRun({ trunkPrecision: TRUNK_PRECISION_BY_NAME[name] });
		t.is(trunkPrecisionOf(runSpecCodec.decode(runSpecCodec.encode(run))), name);
	}
});

test("a run with no precision, or with one unknown to this worker, is refused", (t) => {
	const { trunkPrecision: _, ...silent } = someRun();
	const newer = { ...someRun(), trunkPrecision: 7 as unknown as RunSpec["trunkPrecision"] };
	const expected = "expected one of TRUNK_PRECISION_FP32, TRUNK_PRECISION_INT8";
	for (const [run, found] of [
		[silent, "TRUNK_PRECISION_UNSPECIFIED"],
		[newer, "7"],
	] as const) {
		const received = runSpecCodec.decode(runSpecCodec.encode(run));
		const message = `run run: found trunk precision ${found}, ${expected}`;
		t.throws(() => trunkPrecisionOf(received), { code: "protocol", message });
	}
});
