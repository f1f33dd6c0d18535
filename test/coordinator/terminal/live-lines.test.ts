import test from "ava";
import { LiveLines } from "../../../coordinator/terminal/live-lines.ts";
import { FakeStream } from "./fake-stream.ts";

/** Returns the text that is written by `write`. */
function written(stream: FakeStream, write: () => void): string {
	const before = stream.text.length;
	write();
	return stream.text.slice(before);
}

test("on a terminal lines replace those before, even if the terminal was made narrower and has wrapped them", (t) => {
	const stream = new FakeStream(true, 20);
	const live = new LiveLines(stream, {});
	t.is(
		written(stream, () => live.show(() => ["a line", "b".repeat(25)])),
		`a line\n${"b".repeat(18)}…\n`,
	);
	t.is(
		written(stream, () => live.show(() => ["x"])),
		"\u001b[2A\r\u001b[0Jx\n",
	);
	live.show(() => ["c".repeat(19), "文文文文文文文文文文"]);
	stream.columns = 8;
	// Nineteen columns take three rows of eight; nine characters of two columns and a mark take three as well.
	t.is(
		written(stream, () => live.show(() => ["y"])),
		"\u001b[6A\r\u001b[0Jy\n",
	);
});

test("more lines than the terminal has are cut in the middle; other streams get all", (t) => {
	const stream = Object.assign(new FakeStream(true, 20), { rows: 8 });
	const lines = Array.from({ length: 12 }, (_, i) => `line ${i}`);
	new LiveLines(stream, {}).show(() => lines);
	t.deepEqual(stream.lines, ["line 0", "line 1", "line 2", "...", "line 9", "line 10", "line 11"]);
	const file = new FakeStream(false);
	const live = new LiveLines(file, {});
	live.show(() => lines);
	live.show(() => ["last"]);
	t.deepEqual(file.lines, [...lines, "last"]);
});
