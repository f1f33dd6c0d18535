import { parseArgs } from "node:util";
import { drawSchedule } from "./schedule.ts";
import { simulate } from "./simulate.ts";

const USAGE = `npm run simulate -- --schedules N [--seed FIRST]   runs the schedules of N seeds, starting with FIRST
npm run simulate -- --seed N                      runs one and prints its trace`;

const { values } = parseArgs({ options: { schedules: { type: "string" }, seed: { type: "string" } } });

const { schedules, seed } = values;
const areWhole = [schedules, seed].every((value) => value === undefined || /^\d+$/.test(value));

if (areWhole && schedules !== undefined) await runMany(Number(seed ?? 1), Number(schedules));
else if (areWhole && seed !== undefined) await replay(Number(seed));
else {
	process.stderr.write(`${USAGE}\n`);
	process.exitCode = 2;
}

async function runMany(first: number, count: number): Promise<void> {
	let failed = 0;
	const start = performance.now();
	for (let seed = first; seed < first + count; seed++) {
		const { fault } = await simulate(drawSchedule(seed));
		if (fault === undefined) continue;
		failed++;
		process.exitCode = 1;
		process.stdout.write(`seed ${seed}: ${fault}\n  npm run simulate -- --seed ${seed}\n`);
	}
	const seconds = ((performance.now() - start) / 1000).toFixed(1);
	process.stdout.write(`${count} schedules from seed ${first}, ${failed} of them failed, in ${seconds} s\n`);
}

async function replay(seed: number): Promise<void> {
	const schedule = drawSchedule(seed);
	const { fault, trace, ms } = await simulate(schedule, { isTraced: true });
	process.stdout.write(`${JSON.stringify(schedule)}\n${trace.join("\n")}\n`);
	process.stdout.write(
		`seed ${seed}: ${fault ?? "the same results as an undisturbed run"}, after ${ms / 1000} virtual s\n`,
	);
	if (fault !== undefined) process.exitCode = 1;
}
