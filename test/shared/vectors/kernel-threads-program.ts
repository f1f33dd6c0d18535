// Uses a helper thread, releases the vectors until the thread has ended, and exits while a second thread is idle.
import { setImmediate } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import { allocateVectors } from "../../../shared/vectors/allocate-vectors.ts";
import { overVectors } from "../../../shared/vectors/vector-kernels.ts";

let exited = false;
// Threads of the loader don't end.
process.on("worker", (thread: Worker) => {
	thread.once("exit", () => {
		exited = true;
	});
});

function work(): void {
	const length = 2_000_000;
	const [numbers] = allocateVectors(length);
	overVectors("findNotFinite", [numbers], [], { length, written: 0, threads: 2 });
}

work();
while (!exited) {
	globalThis.gc?.();
	await setImmediate();
}
process.stdout.write("its thread ended\n");
work();
process.stdout.write("done\n");
