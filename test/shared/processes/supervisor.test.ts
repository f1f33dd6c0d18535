import { once } from "node:events";
import test from "ava";
import { execa } from "execa";
import fc from "fast-check";
import { stopChild } from "../../../shared/processes/stop-child.ts";
import { type ProcessEnd, type SupervisedProcess, Supervisor } from "../../../shared/processes/supervisor.ts";

/** A process that ends by a call of `end` or `stop`. */
class FakeProcess implements SupervisedProcess {
	readonly ended: Promise<ProcessEnd>;
	end!: (end: ProcessEnd) => void;
	isRunning = true;

	constructor() {
		this.ended = new Promise((resolve) => {
			this.end = (end) => {
				this.isRunning = false;
				resolve(end);
			};
		});
	}

	async stop(): Promise<void> {
		this.end({ how: "SIGTERM", code: null, wasReady: true });
	}
}

const ended = (code: number, wasReady: boolean): ProcessEnd => ({ how: `code ${code}`, code, wasReady });
const PAUSES = { firstPauseMs: 1, longestPauseMs: 4 };

/** Supervises processes of which the first ones end at once as given, and the others run until they are stopped. */
function supervise(
	ends: readonly ProcessEnd[],
	policy: Partial<ConstructorParameters<typeof Supervisor>[0]["policy"]>,
) {
	const started: FakeProcess[] = [];
	const pauses: number[] = [];
	const start = () => {
		const process = new FakeProcess();
		const end = ends[started.push(process) - 1];
		if (end) process.end(end);
		return process;
	};
	const onRestart = (_: ProcessEnd, pauseMs: number) => void pauses.push(pauseMs);
	return { supervisor: new Supervisor({ start, policy: { ...PAUSES, ...policy }, onRestart }), started, pauses };
}

test("a process is given up after exactly the restarts that the policy allows, with pauses that double", async (t) => {
	await fc.assert(
		fc.asyncProperty(fc.integer({ min: 0, max: 5 }), fc.boolean(), async (maxRestarts, wasReady) => {
			const always = Array.from({ length: 9 }, (_, i) => ended(i, wasReady));
			const { supervisor, started, pauses } = supervise(always, { maxRestarts });
			t.deepEqual(await supervisor.ended, { ends: maxRestarts + 1, last: ended(maxRestarts, wasReady) });
			t.is(started.length, maxRestarts + 1);
			t.deepEqual(pauses, [1, 2, 4, 4, 4].slice(0, maxRestarts));
		}),
		{ numRuns: 12 },
	);
});

test("a process that never gets ready is given up sooner than one that was ready once", async (t) => {
	const never = supervise([ended(1, false), ended(1, false), ended(1, false)], { maxFailedStarts: 2 });
	t.is((await never.supervisor.ended)?.ends, 2);
	const once = supervise([ended(1, true), ...Array(6).fill(ended(1, false))], { maxFailedStarts: 2, maxRestarts: 5 });
	t.is((await once.supervisor.ended)?.ends, 6);
});

test("a process with a hopeless exit code is given up at once", async (t) => {
	const { supervisor, started } = supervise([ended(2, false)], { hopelessCodes: [2] });
	t.deepEqual(await supervisor.ended, { ends: 1, last: ended(2, false) });
	t.is(started.length, 1);
});

test("the count starts again after a process that ran long enough", async (t) => {
	const { supervisor, pauses } = supervise(Array(7).fill(ended(1, true)), { maxRestarts: 1, stableMs: -1 });
	const running = supervisor.ended;
	while (pauses.length < 7) await new Promise(setImmediate);
	await supervisor.stop();
	t.is(await running, undefined);
	t.deepEqual(new Set(pauses), new Set([1]));
});

test("stopping ends the running process and starts no other", async (t) => {
	const { supervisor, started, pauses } = supervise([], { maxRestarts: 3 });
	await new Promise(setImmediate);
	await supervisor.stop();
	t.is(await supervisor.ended, undefined);
	t.deepEqual([started.length, started[0]?.isRunning, pauses.length], [1, false, 0]);
});

test("after a stop during the pause or during a start no process is running", async (t) => {
	const paused = supervise([ended(1, true)], { maxRestarts: 3, firstPauseMs: 1e8, longestPauseMs: 1e8 });
	while (paused.pauses.length === 0) await new Promise(setImmediate);
	await paused.supervisor.stop();
	t.is(paused.started.length, 1);

	const second = new FakeProcess();
	let begun = false;
	const first = new FakeProcess();
	const supervisor = new Supervisor({
		first,
		// Ignores the signal: the process starts only after the stop.
		start: async (stopping) => {
			begun = true;
			await once(stopping, "abort");
			return second;
		},
		policy: { ...PAUSES, maxRestarts: 3 },
		onRestart: () => {},
	});
	first.end(ended(1, true));
	while (!begun) await new Promise(setImmediate);
	await supervisor.stop();
	t.false(second.isRunning);
	t.is(await supervisor.ended, undefined);
});

test("the supervisor fails with the error of a failed start", async (t) => {
	const start = () => Promise.reject(new Error("no such program"));
	const supervisor = new Supervisor({ start, policy: PAUSES, onRestart: () => {} });
	await t.throwsAsync(supervisor.ended, { message: "no such program" });
	await supervisor.stop();
});

test("a process that ignores SIGTERM is killed after the limit; nothing is done with one that has ended", async (t) => {
	const stubborn = execa(
		process.execPath,
		["-e", "process.on('SIGTERM', () => {}); setInterval(() => {}, 1e6); console.log('on')"],
		{
			reject: false,
		},
	);
	await once(stubborn.stdout, "data");
	await stopChild(stubborn, 50);
	t.is((await stubborn).signal, "SIGKILL");
	await stopChild(stubborn, 1e8);
});
