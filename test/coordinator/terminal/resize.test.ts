import test from "ava";
import fc from "fast-check";
import { RunEvents } from "../../../coordinator/events/run-events.ts";
import { createTerminal } from "../../../coordinator/terminal/create-terminal.ts";
import { LiveLines } from "../../../coordinator/terminal/live-lines.ts";
import { EmulatedTerminal } from "./emulated-terminal.ts";

/** A bar needs five rows of 20 columns. */
const size = fc.tuple(fc.integer({ min: 20, max: 130 }), fc.integer({ min: 6, max: 30 }));

/** Texts that wrap, too. */
const text = fc.stringMatching(/^[a-z]{1,150}$/);

const action = fc.oneof(
	fc.record({ size }),
	fc.record({ line: text }),
	fc.record({ advance: fc.integer({ min: 1, max: 50 }) }),
);

test("a bar leaves nothing on a terminal whose size changes, and removes no lines", async (t) => {
	await fc.assert(
		fc.asyncProperty(fc.boolean(), size, fc.array(action, { maxLength: 25 }), async (wrapsAll, start, actions) => {
			const terminal = new EmulatedTerminal(...start, wrapsAll);
			const events = new RunEvents(() => 0);
			events.listen(createTerminal({ stream: terminal, env: {}, now: () => 0 }));
			const phase = events.phase("features", 5_000, "tokens");
			const printed: string[] = [];
			for (const { size, line, advance } of actions as { size?: [number, number]; line?: string; advance?: number }[]) {
				if (size) await terminal.resize(...size);
				if (advance) phase.advance(advance);
				if (!line) continue;
				events.line(line);
				printed.push(line);
			}
			await terminal.drawn();
			t.regex(terminal.lines.at(-1) ?? "", /^features {2}.* \d+ %/);
			t.deepEqual(terminal.lines.slice(0, -1), printed);
			phase.done();
			await terminal.drawn();
			t.deepEqual(terminal.lines.slice(0, -1), printed);
			t.regex(terminal.lines.at(-1) ?? "", /^features {4}\d+ tokens in 0 ms/);
		}),
		{ numRuns: 60 },
	);
});

test("lines that are shown again fit each size of the terminal, and replace all of the lines before", async (t) => {
	const narrow = fc.tuple(fc.integer({ min: 10, max: 60 }), fc.integer({ min: 25, max: 40 }));
	const shown = fc.array(fc.stringMatching(/^[a-z文]{1,55}$/), { minLength: 1, maxLength: 3 });
	await fc.assert(
		fc.asyncProperty(fc.array(fc.tuple(narrow, shown), { minLength: 1, maxLength: 8 }), async (steps) => {
			const terminal = new EmulatedTerminal(60, 30);
			terminal.write("above\n");
			const live = new LiveLines(terminal, {});
			for (const [size, lines] of steps) {
				live.show(() => lines);
				await terminal.resize(...size);
				await terminal.drawn();
				const [above, ...rest] = terminal.lines;
				t.is(above, "above");
				t.is(rest.length, lines.length);
				for (const [at, line] of rest.entries()) t.true(lines[at]?.startsWith(line.replace(/…$/, "")), line);
			}
		}),
		// A character of two columns that doesn't fit at the end of a row.
		{ numRuns: 60, examples: [[[[[10, 25], ["aaa文文文文文文文文a"]]]]] },
	);
});
