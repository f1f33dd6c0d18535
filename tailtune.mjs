#!/usr/bin/env node
// The command. It is written in TypeScript, which is compiled when the command is first used.
import { loadProgram } from "./shared/compile/load-program.mjs";

await loadProgram(import.meta.resolve("./tailtune.ts")).then(({ run }) => run(process.argv.slice(2)), fail);

/**
 * Tells why the command can't start, as it tells other failures.
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
