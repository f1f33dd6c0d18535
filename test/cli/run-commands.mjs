// Runs commands one after another in this process. Its argument is a JSON list of [time of the clock in milliseconds,
// ...arguments]. Standard error is taken for a terminal. It also gets one line for each command, and one line for each
// file of the compiled program that is loaded.
import { register } from "node:module";
import { loadProgram } from "../../shared/compile/load-program.mjs";

const hooks = `
	import { writeSync } from "node:fs";
	export async function load(url, context, load) {
		const loaded = await load(url, context);
		if (url.includes("/programs/")) writeSync(2, "loaded " + url.split("/").at(-1) + "\\n");
		return loaded;
	}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);

for (const emitter of [process, process.stdout, process.stderr]) emitter.setMaxListeners(0);
process.stderr.isTTY = true;

const { run } = await loadProgram(import.meta.resolve("../../tailtune.ts"));
for (const [clockMs, ...args] of JSON.parse(process.argv[2] ?? "[]")) {
	performance.now = () => clockMs;
	process.stderr.write(`run ${args.join(" ")}\n`);
	await run(args);
}
