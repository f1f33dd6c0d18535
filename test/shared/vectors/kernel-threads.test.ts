import { fileURLToPath } from "node:url";
import test from "ava";
import { execa } from "execa";
import { startThread } from "../../../shared/threads/start-thread.ts";
import {
	compileKernels,
	type KernelCall,
	type KernelThreadData,
	kernelsOver,
} from "../../../shared/vectors/kernels.ts";
import { awaitChunks, runChunks, shareCalls } from "../../../shared/vectors/work-sharing.ts";

const THREAD = new URL("../../../shared/vectors/kernel-thread.ts", import.meta.url);
const PROGRAM = fileURLToPath(new URL("./kernel-threads-program.ts", import.meta.url));

const division = { chunk: 65536, steps: [1, 1] };

test("threads that share a call compute the same bits as one thread", async (t) => {
	const compiled = compileKernels();
	const length = 300_004;
	const size = length * Float32Array.BYTES_PER_ELEMENT;
	const memory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });
	const { buffer } = memory;
	const kernels = kernelsOver(compiled, memory);
	const data: KernelThreadData = { compiled, memory };
	const threads = [1, 2].map(() => startThread(THREAD, { data }));
	t.teardown(() => Promise.all(threads.map((thread) => thread.terminate())));
	const total = new Float32Array(buffer, 0, length);
	const addend = new Float32Array(buffer, size, length).map((_, i) => Math.sin(i));
	new Float32Array(buffer, size, length).set(addend);
	const sumBy = (add: (call: KernelCall) => number) => {
		total.fill(1);
		t.is(add({ kernel: "addWeighted", size, at: [0, size], scalars: [0.1] }), 0);
		return [...total];
	};
	const alone = sumBy(kernels);
	for (const takesPart of [false, true]) {
		const together = sumBy((call) => {
			const shared = shareCalls([{ ...call, ...division }]);
			for (const thread of threads) thread.postMessage(shared);
			// If this thread does nothing, the result is complete only after the others have worked.
			if (takesPart) runChunks(kernels, shared);
			return awaitChunks(shared);
		});
		t.deepEqual(together, alone);
	}
	// A late thread finds no chunks left.
	const over = shareCalls([{ kernel: "addWeighted", size, at: [0, size], scalars: [0.1], ...division }]);
	runChunks(kernels, over);
	const before = [...total];
	runChunks(kernels, over);
	t.deepEqual([...total], before);
	total[length - 1] = Number.NaN;
	const check = shareCalls([{ kernel: "findNotFinite", size, at: [0], scalars: [], ...division }]);
	threads[0]?.postMessage(check);
	t.not(awaitChunks(check), 0);
});

test("a thread that fails in the middle of its chunk causes an error, not an endless wait", (t) => {
	const call = shareCalls([{ kernel: "findNotFinite", size: 1 << 20, at: [0], scalars: [], ...division }]);
	const ends = () => {
		throw new Error("unreachable");
	};
	t.throws(() => runChunks(ends, call), { message: "unreachable" });
	runChunks(() => 0, call);
	t.throws(() => awaitChunks(call, 1), { code: "engine", message: /15 of 16 parts done and no progress/ });
});

test("threads end when their vectors are released, and don't keep a process alive", async (t) => {
	const { exitCode, stdout } = await execa(process.execPath, [
		"--import=./test/load-typescript.mjs",
		"--expose-gc",
		PROGRAM,
	]);
	t.is(stdout, "its thread ended\ndone");
	t.is(exitCode, 0);
});
