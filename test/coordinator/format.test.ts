import test from "ava";
import {
	formatBytes,
	formatCount,
	formatLoss,
	formatPercent,
	formatSeconds,
	nameOfPath,
	shellWord,
} from "../../coordinator/format.ts";

test("durations read as a person would write them, at every border", (t) => {
	const cases: [number, string][] = [
		[0, "0 ms"],
		[0.0573, "57 ms"],
		[0.0994, "99 ms"],
		[0.0996, "0.1 s"],
		[1.84, "1.8 s"],
		[9.949, "9.9 s"],
		[9.96, "10 s"],
		[59.4, "59 s"],
		[59.6, "1 min 00 s"],
		[65, "1 min 05 s"],
		[3599.4, "59 min 59 s"],
		[3599.6, "1 h 00 min"],
		[7380, "2 h 03 min"],
	];
	for (const [seconds, text] of cases) t.is(formatSeconds(seconds), text);
});

test("sizes are in binary units", (t) => {
	t.is(formatBytes(0), "0 B");
	t.is(formatBytes(1023), "1023 B");
	t.is(formatBytes(1024), "1.0 KiB");
	t.is(formatBytes(548_105_171), "522.7 MiB");
	t.is(formatBytes(3 * 2 ** 30), "3.0 GiB");
	t.is(formatBytes(5000 * 2 ** 40), "5000.0 TiB");
});

test("shares have one decimal, losses three, counts groups of thousands", (t) => {
	t.is(formatPercent(0.9734), "97.3 %");
	t.is(formatPercent(1), "100.0 %");
	t.is(formatLoss(0.0214), "0.021");
	t.is(formatLoss(0.00004), "4.0e-5");
	t.is(formatLoss(0), "0.000");
	t.is(formatCount(1494), "1,494");
});

test("a name of a file or a revision of the hub is shown short", (t) => {
	const commit = "0123456789".repeat(4);
	t.is(nameOfPath("/home/me/texts.csv"), "texts.csv");
	t.is(nameOfPath(`hub:a/b@${commit}:test`), "hub:a/b@0123456:test");
	t.is(nameOfPath(`a/b@${commit}`), "a/b@0123456");
	t.is(nameOfPath(`hub:a/b@${commit}0`), `hub:a/b@${commit}0`);
});

test("a word for a shell is quoted only where it must be", (t) => {
	t.is(shellWord("runs/2026-03_x=1"), "runs/2026-03_x=1");
	t.is(shellWord("it's here"), "'it'\\''s here'");
	t.is(shellWord(""), "''");
	t.is(shellWord("$(rm)"), "'$(rm)'");
});
