import test from "ava";
import { errorLineSchema } from "../../../coordinator/events/json-line-schemas.ts";
import { createTerminal } from "../../../coordinator/terminal/create-terminal.ts";
import { printError } from "../../../coordinator/terminal/print-error.ts";
import { TailtuneError } from "../../../shared/errors.ts";
import { FakeStream } from "./fake-stream.ts";

const HOSTILE = 'data.tsv row 3: label "a\u001b[2J\nb\u202ec\u2028d\u009b" isn\'t expected';

test("an error is one line, whatever its message holds", (t) => {
	const stream = new FakeStream();
	printError(new TailtuneError("data", HOSTILE), { stream });
	t.is(stream.text, 'tailtune: data.tsv row 3: label "a\\x1b[2J\\nb\\u202ec\\u2028d\\x9b" isn\'t expected\n');
});

test("what can't be seen in a message is written as an escape, what words and emoji are made of is not", (t) => {
	const stream = new FakeStream();
	printError(
		new TailtuneError("data", 'label "ham\u00a0", "\u200bx\ufeff\u3000", "می\u200cخواهم", "👩\u200d🚀 ❤\ufe0f"'),
		{ stream },
	);
	t.is(stream.text, 'tailtune: label "ham\\xa0", "\\u200bx\\ufeff\\u3000", "می\u200cخواهم", "👩\u200d🚀 ❤\ufe0f"\n');
});

test("the stack and the cause come with --debug only", (t) => {
	const error = new TailtuneError("data", "no", { cause: new RangeError("deeper") });
	const [brief, long] = [new FakeStream(), new FakeStream()];
	printError(error, { stream: brief });
	printError(error, { stream: long, debug: true });
	t.is(brief.text, "tailtune: no\n");
	t.true(long.text.includes("print-error.test.ts") && long.text.includes("RangeError: deeper"));
});

test("an error that isn't ours says so and points to --debug", (t) => {
	const stream = new FakeStream();
	printError(new TypeError("x is undefined"), { stream });
	printError("text", { stream });
	t.deepEqual(stream.lines, [
		"tailtune: unexpected error (--debug prints the stack): x is undefined",
		"tailtune: unexpected error (--debug prints the stack): text",
	]);
});

test("with --json it is an object on one line", (t) => {
	const stream = new FakeStream();
	printError(new TailtuneError("data", HOSTILE), { stream, json: true });
	printError(new Error("x"), { stream, json: true });
	t.deepEqual(JSON.parse(stream.lines[0] ?? ""), { error: { code: "data", message: HOSTILE } });
	t.is(JSON.parse(stream.lines[1] ?? "").error.code, "internal");
	printError(new TailtuneError("data", HOSTILE), { stream, json: true, debug: true });
	for (const line of stream.lines) t.notThrows(() => errorLineSchema.parse(JSON.parse(line)));
});

test("a bar that is still shown goes first, so that the process can end and the line stands alone", (t) => {
	const stream = new FakeStream(true);
	createTerminal({ stream, env: {} })({ event: "phase", name: "training", total: 10, unit: "steps", done: 0 });
	printError(new TailtuneError("diverged", "step 3"), { stream });
	t.true(stream.text.endsWith("\u001b[0Jtailtune: step 3\n"));
});
