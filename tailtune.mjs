#!/usr/bin/env node
// The command. Its TypeScript is compiled at the first use.
import { loadProgram } from "./shared/compile/load-program.mjs";

await loadProgram(import.meta.resolve("./tailtune.ts")).then(({ run }) => run(process.argv.slice(2)), fail);

/**
 * Prints why the command can't start, in the same form as other errors.
 * @param {Error} error
 */
function fail({ message, stack }) {
	const line = `can't start: ${message.replaceAll(/\s*\n\s*/g, " ")}`;
	const flags = process.argv;
	const isJson = flags.includes("--json");
	const details = flags.includes("--debug") ? stack : undefined;
	if (isJson) console.error(JSON.stringify({ error: { code: "internal", message: line, stack: details } }));
	else console.error([`tailtune: ${line}`, ...(details ? [details] : [])].join("\n"));
	process.exitCode = 1;
}
