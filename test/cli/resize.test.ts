import { execFileSync } from "node:child_process";
import { cp, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { execa } from "execa";
import { EmulatedTerminal } from "../coordinator/terminal/emulated-terminal.ts";
import { newFolder } from "../new-folder.ts";
import { CACHE, COMMAND, callHere, compileOnce, ENGINE, QUICK, sampleTexts } from "./tailtune.ts";

/** Starts a command in a pseudo-terminal, whose output appears on the screen of an emulator. */
function startInTerminal(folder: string, args: readonly string[]) {
	compileOnce();
	const screen = new EmulatedTerminal(160, 30);
	const command = [process.execPath, COMMAND, ...args].join(" ");
	// The command isn't the first process, because `script` stops with that one.
	const script = `stty cols 160 rows 30; tty > tty; sh -c 'echo $$ > pid; exec ${command}'; exit $?`;
	const env = { XDG_CACHE_HOME: CACHE, TERM: "xterm-256color", NO_COLOR: "1" };
	const ended = execa("script", ["-qefc", script, "/dev/null"], { cwd: folder, env, reject: false, buffer: false });
	ended.stdout.pipe(screen, { end: false });
	const readWord = async (file: string) => (await readFile(join(folder, file), "utf8")).trim();
	const interrupt = async () => process.kill(Number(await readWord("pid")), "SIGINT");
	/** Changes the size when all output is on the screen, as a terminal does: the process is stopped meanwhile. */
	const resize = async (columns: number, rows: number) => {
		const [pid, tty] = [Number(await readWord("pid")), await readWord("tty")];
		process.kill(pid, "SIGSTOP");
		while (!/\) T /.test(await readFile(`/proc/${pid}/stat`, "utf8")));
		const titled = screen.titled("stopped");
		await writeFile(tty, "\u001b]0;stopped\u0007\u001b]0;\u0007");
		await titled;
		await screen.resize(columns, rows);
		execFileSync("stty", ["-F", tty, "cols", String(columns), "rows", String(rows)]);
		process.kill(pid, "SIGCONT");
	};
	return { screen, ended, resize, interrupt };
}

const EPOCHS = Array.from({ length: 30 }, (_, epoch) => new RegExp(`^ {3,4}${epoch + 1} `));

test("resizing the terminal leaves nothing of the bars of train and of the lines of runs --watch", async (t) => {
	const folder = await newFolder();
	await writeFile(join(folder, "texts.tsv"), sampleTexts(60));
	const flags = ["--data", "texts.tsv", ...QUICK, ...ENGINE, "--epochs", String(EPOCHS.length), "--out", "runs/one"];
	const train = startInTerminal(folder, ["train", ...flags]);
	for (const [epoch, columns, rows] of [
		[1, 40, 20],
		[3, 24, 12],
		[9, 100, 40],
		[15, 30, 8],
	] as const) {
		const hasEpoch = (line: string) => line.startsWith(`${String(epoch).padStart(5)} `);
		const isAtEnd = (lines: readonly string[]) => lines.at(-1)?.startsWith("classify") === true;
		await train.screen.until(
			(lines) => (lines.some(hasEpoch) && /^training .*%/.test(lines.at(-1) ?? "")) || isAtEnd(lines),
		);
		// This process may have got no processor until the end of the other one.
		if (!isAtEnd(train.screen.lines)) await train.resize(columns, rows);
	}
	await train.ended;
	const shown = train.screen.lines;
	const patterns = [
		/^reading/,
		/^read 120/,
		/^features .* in /,
		/^epoch/,
		...EPOCHS,
		/^training .* in /,
		/^scores .* in /,
		/^$/,
	];
	for (const [at, pattern] of patterns.entries()) t.regex(shown[at] ?? "", pattern);
	const runs = startInTerminal(folder, ["runs", "--watch"]);
	await runs.screen.until((lines) => lines.some((line) => line.includes("one")));
	for (const columns of [40, 150, 30]) {
		await runs.resize(columns, 25);
		await runs.screen.until((lines) => lines.every((line) => line.length < columns));
	}
	await cp(join(folder, "runs", "one"), join(folder, "copy"), { recursive: true });
	await rename(join(folder, "copy"), join(folder, "runs", "two"));
	await runs.screen.until((lines) => lines.some((line) => line.includes("two")));
	await runs.resize(160, 30);
	await runs.screen.until((lines) => lines.every((line) => !line.endsWith("…")));
	await runs.interrupt();
	await runs.ended;
	const { stdout } = await callHere(["runs"], {}, folder);
	// The first line is there if the machine is busy.
	t.is(runs.screen.lines.join("\n").replace(/^reading runs\n/, ""), stdout);
});
