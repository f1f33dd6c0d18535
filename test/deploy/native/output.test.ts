import test from "ava";
import { Output } from "../../../deploy/native/output.ts";
import { FakeStream } from "../../coordinator/terminal/fake-stream.ts";

test("an installation writes plain lines, and a download's progress every five seconds", (t) => {
	const stream = new FakeStream();
	const clock = { ms: 0 };
	const output = new Output(stream, () => clock.ms);
	output.line("compiling\nthe addon");
	const report = output.download("a.whl");
	for (const [ms, bytes] of [
		[4999, 10],
		[5000, 20],
		[9999, 30],
		[10_000, 399],
	] as const) {
		clock.ms = ms;
		report(bytes, 400);
	}
	t.deepEqual(stream.lines, ["compiling\\nthe addon", "a.whl: 5 %", "a.whl: 99 %"]);
});
