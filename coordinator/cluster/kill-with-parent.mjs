// Runs a program and kills it when standard input ends, which also happens if the parent process is killed.
import { spawn } from "node:child_process";

const [program = "", ...args] = process.argv.slice(2);
const child = spawn(program, args, { stdio: ["ignore", "inherit", "inherit"] });
/** @param {number} code */
function endWith(code) {
	process.exitCode = code;
	process.stdin.destroy(); // nothing else keeps this process alive
}
child.once("error", (error) => {
	process.stderr.write(`${error.message}\n`);
	endWith(127);
});
child.once("exit", (code) => endWith(code ?? 1));
process.stdin.resume().once("end", () => child.kill("SIGKILL"));
process.on("SIGTERM", () => child.kill("SIGTERM"));
