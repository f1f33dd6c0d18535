import test from "ava";
import { RunAnswers } from "../../../coordinator/cluster/run-answers.ts";
import { Notices } from "../../../shared/notices.ts";
import { someItem, someResult } from "../../shared/bus/messages.ts";

const { serial: _, ...newItem } = someItem();
const waiting = { sinceMs: 0, retry: new Notices().hold() };
const failure = { code: "engine", message: "", ofWorker: true, fault: 1 };

test("an unexpected answer counts as double if its item has one, as stale if its version is over, otherwise as stray", (t) => {
	const answers = new RunAnswers();
	const ask = (parameterVersion: number) => answers.ask({ ...newItem, parameterVersion }, waiting);
	const refuse = (serial: number, fields: Parameters<typeof someResult>[0] = {}) =>
		t.throws(() => answers.find(someResult({ serial, ...fields })), { code: "protocol", message: /is not waiting/ });
	const [first, second, third] = [ask(3), ask(3), ask(4)];
	t.deepEqual(
		[first, second, third].map(({ item }) => item.serial),
		[1, 2, 3],
	);
	t.is(answers.find(someResult({ serial: 3 })), third);
	for (const each of [first, third]) answers.end(each);
	refuse(3);
	refuse(1, { failure });
	t.deepEqual(answers.ignored, { double: 2, stale: 0, stray: 0 });
	refuse(1);
	t.deepEqual(answers.ignored, { double: 2, stale: 1, stray: 0 });
	for (const serial of [0, 4, -1, 2 ** 53, Number.NaN]) refuse(serial);
	t.deepEqual(answers.ignored, { double: 2, stale: 1, stray: 5 });
	t.deepEqual(answers.waiting, [second]);
});
