import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import fc from "fast-check";
import { type DatasetColumns, readDataset } from "../../../shared/data/read-dataset.ts";
import { TailtuneError } from "../../../shared/errors.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

/** What a file of that name and content holds, as [label, text, line or path after the folder]. */
async function read(t: ExecutionContext, name: string, content: string | Uint8Array, columns?: DatasetColumns) {
	const path = join(await temporaryFolder(t, { [name]: content }), name);
	const { labels, examples } = await readDataset(path, columns);
	return examples.map(({ label, text, source }) => [labels[label], text, source.slice(path.length + 1)]);
}

/** The message for such a file, from its name on. */
async function refusal(t: ExecutionContext, name: string, content: string | Uint8Array, columns?: DatasetColumns) {
	const error = await t.throwsAsync(read(t, name, content, columns), { instanceOf: TailtuneError, code: "data" });
	const message = error?.message ?? "";
	t.false(message.includes("\n"));
	return message.slice(message.indexOf(name));
}

const two = [
	["ham", "hi there", "1"],
	["spam", 'a "prize"\tnow', "2"],
];

test("TSV: label, tab, text, with no quoting, whatever the line ends and with a byte order mark or without", async (t) => {
	const lines = ["ham\thi there", 'spam\ta "prize"\tnow'];
	for (const name of ["set.tsv", "set.TSV", "SMSSpamCollection", "set.txt"]) {
		t.deepEqual(await read(t, name, lines.join("\n")), two);
		t.deepEqual(await read(t, name, `\ufeff${lines.join("\r\n")}\r\n`), two);
	}
});

test("CSV: columns by name, quoted commas, quotes and newlines, each row under its first line", async (t) => {
	const content = 'id,label,text\n1,ham,"one,\ntwo ""three"""\n2,spam,plain\n';
	const expected = [
		["ham", 'one,\ntwo "three"', "2"],
		["spam", "plain", "4"],
	];
	t.deepEqual(await read(t, "set.csv", content), expected);
	t.deepEqual(await read(t, "set.csv", `\ufeff${content}`), expected);
	t.deepEqual(await read(t, "set.csv", 'label,text\r\nham,"a\r\nb"\r\nspam,c\r\nham,d'), [
		["ham", "a\r\nb", "2"],
		["spam", "c", "4"],
		["ham", "d", "5"],
	]);
	t.deepEqual(await read(t, "set.csv", "class,body\nx,y\n", { textColumn: "body", labelColumn: "class" }), [
		["x", "y", "2"],
	]);
});

test("JSONL: fields by name; a label may be a number or a boolean", async (t) => {
	const content = '{"label":1,"text":"a\\nb"}\r\n{"text":"c","label":true,"more":null}\n';
	const expected = [
		["1", "a\nb", "1"],
		["true", "c", "2"],
	];
	t.deepEqual(await read(t, "set.jsonl", content), expected);
	t.deepEqual(await read(t, "set.ndjson", `\ufeff${content}`), expected);
});

test("a folder for each label: files in the order of their names, hidden ones and those beside the folders passed over", async (t) => {
	const folder = await temporaryFolder(t, {
		"spam/2.txt": "\ufefftwo\r\nlines\r\n",
		"spam/1.txt": "one",
		"ham/a": "three\n",
		"ham/.hidden": "no",
		"README.md": "no",
	});
	const { labels, examples } = await readDataset(folder);
	t.deepEqual(labels, ["ham", "spam"]);
	t.deepEqual(
		examples.map(({ text, label, source }) => [text, label, source]),
		[
			["three", 0, join(folder, "ham/a")],
			["one", 1, join(folder, "spam/1.txt")],
			["two\nlines", 1, join(folder, "spam/2.txt")],
		],
	);
});

test("any text comes back from CSV and JSONL as it was", async (t) => {
	const texts = fc.array(
		fc.record({
			label: fc.string({ unit: "binary", minLength: 1 }).filter((label) => label.trim() !== ""),
			text: fc.string({ unit: "binary" }).map((text) => `.${text}`),
		}),
		{ minLength: 1 },
	);
	const quote = (field: string) => `"${field.replaceAll('"', '""')}"`;
	const folder = await temporaryFolder(t);
	const { writeFile } = await import("node:fs/promises");
	await fc.assert(
		fc.asyncProperty(texts, async (all) => {
			const csv = ["label,text", ...all.map(({ label, text }) => `${quote(label)},${quote(text)}`)].join("\n");
			await writeFile(join(folder, "a.csv"), csv);
			await writeFile(join(folder, "a.jsonl"), all.map((each) => JSON.stringify(each)).join("\n"));
			for (const name of ["a.csv", "a.jsonl"]) {
				const { labels, examples } = await readDataset(join(folder, name));
				t.deepEqual(
					examples.map(({ label, text }) => ({ label: labels[label], text })),
					all,
				);
			}
		}),
		{ numRuns: 50 },
	);
});

test("empty rows and missing texts or labels are refused with their line", async (t) => {
	t.is(await refusal(t, "a.tsv", "ham\tx\n\nham\ty\n"), "a.tsv:2: empty row, expected a text");
	t.is(await refusal(t, "a.tsv", "ham\tx\nham\t \n"), "a.tsv:2: no text, expected a text");
	t.is(await refusal(t, "a.tsv", "ham\tx\n\ty\n"), "a.tsv:2: no label, expected a label and a text");
	t.is(await refusal(t, "a.tsv", "ham\tx\nham y\n"), "a.tsv:2: no label, expected a label and a text");
	t.is(await refusal(t, "a.csv", 'label,text\nham,"x\ny"\n\nham,y\n'), "a.csv:4: empty row, expected a text");
	t.is(await refusal(t, "a.csv", "label,text\nham,\n"), "a.csv:2: no text, expected a text");
	t.is(await refusal(t, "a.csv", "label,text\n,x\n"), "a.csv:2: no label, expected a label and a text");
	t.is(await refusal(t, "a.jsonl", '{"text":"x","label":"y"}\n\n'), "a.jsonl:2: empty row, expected a text");
	t.is(await refusal(t, "a.jsonl", '{"text":"","label":"y"}'), "a.jsonl:1: no text, expected a text");
});

test("rows of another shape are refused with what was found", async (t) => {
	t.is(await refusal(t, "a.csv", "label,text\nham,x,y\n"), "a.csv:2: found 3 fields, expected 2 as in the header");
	t.regex(
		await refusal(t, "a.csv", 'label,text\nham,x\nham,"y\n'),
		/^a\.csv:3: found a quoted field that is never closed/,
	);
	t.is(await refusal(t, "a.csv", "label;text\nham;x\n"), 'a.csv:1: no column "text" (--text-column); found label;text');
	t.is(
		await refusal(t, "a.csv", "class,text\nham,x\n"),
		'a.csv:1: no column "label" (--label-column); found class, text',
	);
	t.is(await refusal(t, "a.jsonl", '{"body":"x"}'), 'a.jsonl:1: no field "text" (--text-column); found body');
	t.is(
		await refusal(t, "a.jsonl", '{"text":"x","class":1}'),
		'a.jsonl:1: no field "label" (--label-column); found text, class',
	);
	t.is(await refusal(t, "a.jsonl", '{"text":1,"label":"y"}'), "a.jsonl:1: text: found a number, expected a string");
	t.is(
		await refusal(t, "a.jsonl", '{"text":"x","label":null}'),
		"a.jsonl:1: label: found null, expected a string or a number",
	);
	t.is(await refusal(t, "a.jsonl", "{"), "a.jsonl:1: not JSON, expected one JSON object a line");
	t.is(await refusal(t, "a.jsonl", "[1]"), "a.jsonl:1: found a list, expected one JSON object a line");
	t.regex(await refusal(t, "a.dat", "ham x\n"), /^a\.dat:1: no tab, expected label<TAB>text/);
});

test("bytes that aren't UTF-8 are refused with the line of the first", async (t) => {
	const content = Buffer.concat([Buffer.from("ham\tcafé\nham\tcaf"), Buffer.from([0xe9]), Buffer.from("\nham\tx\n")]);
	t.is(await refusal(t, "a.tsv", content), "a.tsv:2: found bytes that aren't UTF-8, expected UTF-8");
	t.regex(await refusal(t, "a.csv", Buffer.from("label,text\nham,x\n", "utf16le").fill(0xff, 0, 1)), /^a\.csv:1: /);
});

test("files and folders without texts, or that aren't there, are refused", async (t) => {
	t.is(await refusal(t, "a.tsv", ""), "a.tsv: empty, expected texts");
	t.is(await refusal(t, "a.csv", "\ufeff\n"), "a.csv: empty, expected texts");
	t.is(await refusal(t, "a.csv", "label,text\n"), "a.csv: no texts in it, expected at least one");
	const folder = await temporaryFolder(t, { "no-folders/a.txt": "x", "deep/ham/deeper/a.txt": "x" });
	const missing = { instanceOf: TailtuneError, code: "not-found", message: /missing\.tsv: no such file or folder$/ };
	await t.throwsAsync(readDataset(join(folder, "missing.tsv")), missing);
	await t.throwsAsync(readDataset(join(folder, "no-folders")), {
		code: "data",
		message: /expected one for each label$/,
	});
	await t.throwsAsync(readDataset(join(folder, "deep")), { code: "data", message: /deeper: found a folder/ });
});
