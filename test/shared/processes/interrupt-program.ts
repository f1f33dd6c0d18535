import { createInterruptSignal, endOnSignals } from "../../../shared/processes/interrupt.ts";

// loop: blocks the event loop forever. after: waits for a signal after `endOnSignals` has returned.
const interrupt = createInterruptSignal();
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
	process.stdout.write("aborted\n");
	clearInterval(timer);
});
process.stdout.write("ready\n");
