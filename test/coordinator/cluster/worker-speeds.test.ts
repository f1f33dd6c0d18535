import test from "ava";
import { WorkerSpeeds } from "../../../coordinator/cluster/worker-speeds.ts";

test("speeds are relative to the average of all workers", (t) => {
	const speeds = new WorkerSpeeds();
	speeds.add("fast", "WORK_KIND_GRADIENT", 30, 100);
	speeds.add("slow", "WORK_KIND_GRADIENT", 10, 100);
	t.true(Math.abs(speeds.of("fast") / speeds.of("slow") - 3) < 0.1);
	t.is(speeds.of("unknown"), 1);
});

test("a worker that joined after the slow kind of work doesn't seem fast", (t) => {
	const speeds = new WorkerSpeeds();
	for (let i = 0; i < 20; i++) speeds.add("early", "WORK_KIND_PREPARE", 10, 1000);
	for (const worker of ["early", "late"]) speeds.add(worker, "WORK_KIND_GRADIENT", 10, 5);
	t.true(Math.abs(speeds.of("late") - 1) < 0.05);
	t.true(Math.abs(speeds.of("early") - 1) < 0.05);
});

test("the speed of a worker that has become slow falls soon", (t) => {
	const speeds = new WorkerSpeeds();
	for (let i = 0; i < 200; i++) speeds.add("a", "WORK_KIND_GRADIENT", 10, 10);
	for (let i = 0; i < 200; i++) {
		speeds.add("a", "WORK_KIND_GRADIENT", 10, 100);
		speeds.add("b", "WORK_KIND_GRADIENT", 10, 10);
	}
	t.true(speeds.of("b") / speeds.of("a") > 8);
});
