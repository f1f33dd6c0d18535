import { endOnSignals, interruptSignal } from "../../../shared/processes/interrupt.ts";

// loop: work that never lets anything else get its turn. after: waits for a signal when such work is over.
const interrupt = interruptSignal();
const [command] = process.argv.slice(2);

if (command === "loop") {
	await endOnSignals(async () => {
		process.stdout.write("ready\n");
		for (;;);
	});
}
await endOnSignals(async () => {});
const timer = setInterval(() => {}, 1e6);
interrupt.addEventListener("abort", () => {
	process.stdout.write("told\n");
	clearInterval(timer);
});
process.stdout.write("ready\n");
