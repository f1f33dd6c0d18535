import test from "ava";
import { RunAnswers } from "../../../coordinator/cluster/run-answers.ts";
import type { WorkKind, WorkResult } from "../../../shared/messages.ts";

function item(kind: WorkKind, parameterVersion: number, part: number, ofWorker = false) {
	return { kind, parameterVersion, part, ...(ofWorker ? { failure: { ofWorker } } : {}) } as WorkResult;
}

test("an answer that isn't waited for is double if it was asked for, stale if its version is over, else stray", (t) => {
	const answers = new RunAnswers();
	for (const part of [0, 1]) answers.ask(item("WORK_KIND_EVALUATE", 3, part));
	answers.ask(item("WORK_KIND_GRADIENT", 4, 0));
	for (const part of [0, 1, 2]) answers.ask(item("WORK_KIND_EVALUATE", 4, part));
	answers.ignore(item("WORK_KIND_EVALUATE", 4, 2));
	answers.ignore(item("WORK_KIND_GRADIENT", 4, 0));
	answers.ignore(item("WORK_KIND_EVALUATE", 9, 0, true));
	t.deepEqual(answers.ignored, { double: 3, stale: 0, stray: 0 });
	answers.ignore(item("WORK_KIND_EVALUATE", 3, 0));
	t.deepEqual(answers.ignored, { double: 3, stale: 1, stray: 0 });
	answers.ignore(item("WORK_KIND_EVALUATE", 4, 3));
	answers.ignore(item("WORK_KIND_PREPARE", 4, 0));
	answers.ignore(item("WORK_KIND_EVALUATE", 5, 0));
	t.deepEqual(answers.ignored, { double: 3, stale: 1, stray: 3 });
});
