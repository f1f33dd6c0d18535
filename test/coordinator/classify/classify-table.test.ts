import { readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { parse } from "csv-parse/sync";
import { Classifier } from "../../../coordinator/classify/classifier.ts";
import { classifyRows, emptySummary } from "../../../coordinator/classify/classify-rows.ts";
import { classifyTable } from "../../../coordinator/classify/classify-table.ts";
import { chooseSource } from "../../../coordinator/classify/table-source.ts";
import { openEmbeddedCluster } from "../../../coordinator/cluster/embedded-cluster.ts";
import type { Table } from "../../../coordinator/data/table.ts";
import { RunEvents } from "../../../coordinator/events/run-events.ts";
import type { RunEvent } from "../../../coordinator/events/schemas.ts";
import { checkOutput } from "../../../coordinator/table/check-output.ts";
import { startWorker } from "../../../worker/run/lifecycle.ts";
import { makeRun } from "../../serve/run-folder.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

// A model for 256 tokens with the labels ham and spam.
const classifier = await Classifier.open(
	await makeRun(),
	{ engine: "auto", backend: "auto", threads: 1 },
	{ openCluster: (run) => openEmbeddedCluster({ startWorker }, run) },
);
test.after.always(() => classifier.close());

const LONG = "word ".repeat(300).trim();

/** Classifies a file with that content. */
async function classifyContent(
	t: ExecutionContext,
	name: string,
	content: string,
	to: string,
	{ skipBad = false, interrupt = new AbortController().signal } = {},
) {
	const folder = await temporaryFolder(t, { [name]: content });
	const [file, out] = [join(folder, name), join(folder, to)];
	const events = new RunEvents();
	const seen: RunEvent[] = [];
	events.listen((event) => void seen.push(event));
	const options = { textColumn: "text", skipBad, interrupt };
	const classify = () =>
		classifyTable(classifier, chooseSource([], file, { textColumn: "text" }), out, options, events);
	return { folder, file, out, seen, classify, read: () => readFile(out, "utf8") };
}

const ADDED = ["label", "probability_ham", "probability_spam", "tokens", "cut"];

test("a CSV file keeps its rows and columns in their order, and gets the predictions", async (t) => {
	const rows = [
		["007", "one, two", '=1+1 "x"', "2024-01-01"],
		["008", "line\nbreak", "", " y "],
		["009", "one, two", "-", ""],
	];
	const quoted = (fields: readonly string[]) => fields.map((field) => `"${field.replaceAll('"', '""')}"`).join(";");
	const content = [["id", "text", "note", "date"], ...rows].map(quoted).join("\n");
	const { classify, read, seen } = await classifyContent(t, "in.csv", content, "out.csv");
	t.like(await classify(), { rows: 3, cut: 0, bad: 0 });
	const [header, ...written] = parse(await read());
	t.deepEqual(header, ["id", "text", "note", "date", ...ADDED]);
	t.deepEqual(
		written.map((fields) => fields.slice(0, 4)),
		rows,
	);
	const answers = await classifier.classify(rows.map(([, text = ""]) => ({ text, source: "" })));
	for (const [index, { label, probabilities, tokens }] of answers.entries()) {
		const expected = [["ham", "spam"][label], ...probabilities, tokens, false].map(String);
		t.deepEqual(written[index]?.slice(4), expected);
	}
	await events(seen);
	t.like(
		seen.findLast(({ event }) => event === "progress"),
		{ name: "classification", total: 3, done: 3 },
	);
});

/** Waits until all events have been passed on. */
async function events(seen: readonly RunEvent[]): Promise<void> {
	while (!seen.some(({ event }) => event === "phase-done")) await new Promise((resolve) => setImmediate(resolve));
}

test("JSON lines keep every character of the input, also numbers with more digits than a double has", async (t) => {
	const lines = [
		'{"id":12345678901234567890,"text":"one","x":1.10,"y":{"a":[1]}}',
		' {"text":"two", "é":"\\u00e9" } ',
		'{"text":"three","text":"last"}',
	];
	const { classify, read } = await classifyContent(t, "in.jsonl", lines.join("\r\n"), "out.jsonl");
	await classify();
	const written = (await read()).trimEnd().split("\n");
	t.is(written.length, 3);
	for (const [index, line] of lines.entries()) {
		const own = line.trim().slice(0, -1).trimEnd();
		t.true(written[index]?.startsWith(`${own},"label":`), written[index]);
		t.deepEqual(Object.keys(JSON.parse(written[index] ?? "")).slice(-4), ["label", "probabilities", "tokens", "cut"]);
	}
});

test("JSON lines become CSV with the columns of all rows; a number that would be rounded is refused", async (t) => {
	const lines = ['{"text":"one","a":1}', '{"b":{"c":2},"text":"two"}'];
	const { classify, read } = await classifyContent(t, "in.jsonl", lines.join("\n"), "out.csv");
	await classify();
	const [header, ...rows] = parse(await read());
	t.deepEqual(header, ["text", "a", "b", ...ADDED]);
	t.deepEqual(
		rows.map((row) => row.slice(0, 3)),
		[
			["one", "1", ""],
			["two", "", '{"c":2}'],
		],
	);
	const long = await classifyContent(t, "in.jsonl", '{"text":"a","id":[12345678901234567890]}', "out.csv");
	await t.throwsAsync(long.classify(), { code: "data", message: /in\.jsonl:1: id: found a number of more than 15/ });
	t.deepEqual(await readdir(long.folder), ["in.jsonl"]);
});

test("if a column of the input has the name of a new one, all new ones get a prefix, and this is said", async (t) => {
	const content = "text,label,predicted_label\none,ham,spam\n";
	const { classify, read, seen } = await classifyContent(t, "in.csv", content, "out.csv");
	await classify();
	const [header] = parse(await read());
	const added = ADDED.map((name) => `predicted_predicted_${name}`);
	t.deepEqual(header, ["text", "label", "predicted_label", ...added]);
	t.regex(
		JSON.stringify(seen),
		/has columns with the names of the new ones, which are written as predicted_predicted_/,
	);
	const json = await classifyContent(t, "in.jsonl", '{"text":"one"}\n{"text":"two","cut":1}\n', "out.jsonl");
	await json.classify();
	const names = (await json.read()).split("\n").map((line) => Object.keys(line === "" ? {} : JSON.parse(line)));
	t.deepEqual(names[0]?.[1], "predicted_label");
	t.deepEqual(names[1]?.[1], "cut");
});

const BAD = `id,text\n1,one\n2,\n3\n4,two\n5,six,7\n6,${LONG}\n,\n`;

test("the first row that can't be classified is an error, and nothing is written", async (t) => {
	for (const [content, message] of [
		[BAD, "in.csv:3: the text is empty"],
		["id,text\n1,one\n2\n", "in.csv:3: found 1 field, expected 2 as in the header"],
		[`id,text\n1,one\n2,${LONG}\n`, "in.csv:3: found a text of 300 tokens, expected at most 256"],
		["id,text\n", "in.csv: contains no texts, expected at least one"],
		['id,text\n1,one\n2,"two\n', "in.csv:3: found a quoted field that is never closed"],
	] as const) {
		const { folder, classify, file } = await classifyContent(t, "in.csv", content, "out.csv");
		const error = await t.throwsAsync(classify(), { code: "data" });
		t.true(error?.message.startsWith(`${file.replace(/in\.csv$/, "")}${message}`), error?.message);
		t.deepEqual(await readdir(folder), ["in.csv"]);
	}
});

test("with skipBad, rows that can't be classified stay with blank predictions, and are listed", async (t) => {
	const { classify, read, file } = await classifyContent(t, "in.csv", BAD, "out.csv", { skipBad: true });
	const summary = await classify();
	t.like(summary, { rows: 7, bad: 5, cut: 0 });
	const starts = [
		":3: the text is",
		":4: found 1 field",
		":6: found 3 fields",
		":7: found a text of",
		":8: the text is",
	];
	t.is(summary.errors.length, starts.length);
	for (const [index, start] of starts.entries()) t.true(summary.errors[index]?.startsWith(`${file}${start}`));
	const [, ...rows] = parse(await read());
	t.deepEqual(
		rows.map(([id, text, ...added]) => [id, text, added.every((field) => field === "")]),
		[
			["1", "one", false],
			["2", "", true],
			["3", "", true],
			["4", "two", false],
			["5", "six,7", true],
			["6", LONG, true],
			["", "", true],
		],
	);
	const json = await classifyContent(t, "in.jsonl", 'x\n{"text":""}\n{"text":"a"}\n', "out.jsonl", { skipBad: true });
	t.like(await json.classify(), { rows: 3, bad: 2 });
	const blank = '"label":null,"probabilities":null,"tokens":null,"cut":null}';
	t.deepEqual((await json.read()).split("\n").slice(0, 2), [`{${blank}`, `{"text":"",${blank}`]);
});

test("a stopped classification leaves the earlier file and nothing else", async (t) => {
	const stopped = AbortSignal.abort();
	const { folder, out, classify, read } = await classifyContent(t, "in.csv", "text\none\n", "out.csv", {
		interrupt: stopped,
	});
	await writeFile(out, "before");
	await t.throwsAsync(classify(), { code: "interrupted", message: "stopped; nothing was written" });
	t.is(await read(), "before");
	t.deepEqual((await readdir(folder)).sort(), ["in.csv", "out.csv"]);
});

test("a table of any length is read only two batches ahead of what is written", async (t) => {
	let read = 0;
	const table: Table = {
		format: { name: "lines" },
		header: { names: ["text"] },
		rows: (async function* () {
			while (read < 20_000) yield { source: `f:${++read}`, names: ["text"], values: ["one"], isBlank: false };
		})(),
		close: () => {},
	};
	const answer = { label: 0, labels: [0], probabilities: [1, 0], logits: [0, 0], tokens: 1, truncated: false };
	const instant = { classifyEach: async (texts: readonly unknown[]) => texts.map(() => answer) };
	const summary = emptySummary();
	let written = 0;
	let most = 0;
	const options = { textColumn: "text", skipBad: false };
	for await (const rows of classifyRows(instant, { table, name: "f" }, options, summary)) {
		for (let turns = 0; turns < 100; turns++) await new Promise((resolve) => setImmediate(resolve));
		most = Math.max(most, read - written);
		written += rows.length;
	}
	t.is(written, 20_000);
	t.true(most <= 4 * 1024, `${most} rows were in memory`);
});

test("a file that can't be written is refused before anything is computed", async (t) => {
	const folder = await temporaryFolder(t, { "in.csv": "text\none\n", "folder.csv/a": "" });
	await symlink(join(folder, "in.csv"), join(folder, "link.csv"));
	const check = (out: string, input = "in.csv") => checkOutput(join(folder, out), join(folder, input));
	await check("out.csv");
	await t.throwsAsync(check("in.csv"), { code: "usage", message: /found the file that is read, expected another one/ });
	await t.throwsAsync(check("in.csv", "link.csv"), { code: "usage" });
	await t.throwsAsync(check("folder.csv"), { code: "usage", message: /found a folder, expected a file/ });
	await t.throwsAsync(check("none/out.csv"), { code: "disk", message: /the folder doesn't exist/ });
});

test("a bad row of an input that can be read only once is an error too, and nothing is written", async (t) => {
	const folder = await temporaryFolder(t);
	const source = { ...chooseSource(["one", " "], undefined, { textColumn: "text" }), canReopen: false };
	const options = { textColumn: "text", skipBad: false };
	const classify = classifyTable(classifier, source, join(folder, "out.csv"), options, new RunEvents());
	await t.throwsAsync(classify, { code: "data", message: "text 2: the text is empty" });
	t.deepEqual(await readdir(folder), []);
});
