import { readFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { writeTexts } from "../cli/tailtune.ts";
import { startNatsServer } from "../nats-server.ts";
import { newFolder } from "../new-folder.ts";
import { IS_SLOW } from "../slow.ts";
import { RunProcess, startWorkerProcess } from "./processes.ts";

/** Steps until caches, heap and the log of updates (64 MiB) have their final size, and steps in total. */
const [WARM, STEPS] = IS_SLOW ? [500, 2500] : [250, 600];
/**
 * Up to 64 MiB of garbage wait in each process. A dense gradient of the demo model's last block is 0.4 MiB; a leak of
 * one per step would be 140 MiB in the shorter test.
 */
const GROWTH_MIB = 96;

test.serial(`memory of coordinator and worker doesn't grow over ${STEPS - WARM} steps`, async (t) => {
	const folder = await newFolder();
	const server = await startNatsServer();
	t.teardown(() => server.stop());
	const worker = await startWorkerProcess(server.url, join(folder, "cache"));
	t.teardown(() => worker.end());
	// 50 training texts, one per step.
	const sizes = ["--batch", "1", "--epochs", `${STEPS / 50}`, "--eval-every", "1000", "--epoch-eval", "batches"];
	const more = [
		"--eval-batches",
		"1",
		"--checkpoint-every",
		"10000",
		"--model",
		"demo",
		"--lr",
		"1e-6",
		"--token",
		"mean",
		"--shards",
		"1",
	];
	const data = await writeTexts(36);
	const run = new RunProcess(["--data", data, "--out", join(folder, "run"), "--nats", server.url, ...sizes, ...more]);
	await run.reach("epoch", ({ step }) => Number(step) >= WARM);
	const before = await peakMib(run.pid, worker.pid);
	await run.reach("epoch", ({ step }) => Number(step) >= STEPS);
	const after = await peakMib(run.pid, worker.pid);
	t.is(await run.end(), "");
	for (const [i, name] of ["coordinator", "worker"].entries()) {
		const [from = 0, to = 0] = [before[i], after[i]];
		t.log(`${name}: ${from.toFixed(0)} MiB after ${WARM} steps, ${to.toFixed(0)} MiB after ${STEPS}`);
		t.true(to - from < GROWTH_MIB, `${name} grew by ${(to - from).toFixed(0)} MiB`);
	}
});

/** Returns the largest resident memory so far: the present one depends on how much garbage (64 MiB) waits. */
async function peakMib(...pids: number[]): Promise<number[]> {
	const read = async (pid: number) => {
		const status = await readFile(`/proc/${pid}/status`, "utf8");
		return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
	};
	return Promise.all(pids.map(read));
}
