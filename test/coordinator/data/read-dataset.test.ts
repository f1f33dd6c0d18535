import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import fc from "fast-check";
import { type DatasetColumns, readDataset } from "../../../coordinator/data/read-dataset.ts";
import { TailtuneError } from "../../../shared/errors.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

/** Reads a file of that name and content as [label, text, line or path after the folder]. */
async function read(t: ExecutionContext, name: string, content: string | Uint8Array, columns?: DatasetColumns) {
	const path = join(await temporaryFolder(t, { [name]: content }), name);
	const { labels, examples } = await readDataset(path, columns);
	return examples.map(({ label, text, source }) => [labels[label], text, source.slice(path.length + 1)]);
}

/** The error message for a file of that name and content, from the name on. */
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

test("TSV: label, tab, text, without quoting, with any line ends, with or without a byte order mark", async (t) => {
	const lines = ["ham\thi there", 'spam\ta "prize"\tnow'];
	for (const name of ["set.tsv", "set.TSV", "SMSSpamCollection", "set.txt"]) {
		t.deepEqual(await read(t, name, lines.join("\n")), two);
		t.deepEqual(await read(t, name, `\ufeff${lines.join("\r\n")}\r\n`), two);
	}
});

test("CSV: columns by name, quoted commas, quotes and newlines, each row with the number of its first line", async (t) => {
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

test("CSV: semicolons, tabs or bars separate too, and blanks around a column's name and its case don't matter", async (t) => {
	for (const separator of [",", ";", "\t", "|"]) {
		const content = [
			["Label ", "id", "TEXT"],
			["ham", "1", '"a,b;c\td"'],
			["spam", "2", "e"],
		].map((row) => row.join(separator));
		t.deepEqual(
			await read(t, "set.csv", content.join("\n")),
			[
				["ham", "a,b;c\td", "2"],
				["spam", "e", "3"],
			],
			separator,
		);
	}
	t.deepEqual(await read(t, "set.csv", "Text,text,label\nno,yes,ham\n"), [["ham", "yes", "2"]]);
});

test("TSV: a first line that names the columns isn't a text, and may name them in any order", async (t) => {
	const rows = [
		["ham", "a\tb", "2"],
		["spam", "c", "3"],
	];
	t.deepEqual(await read(t, "set.tsv", "label\ttext\nham\ta\tb\nspam\tc\n"), rows);
	t.deepEqual(await read(t, "set.tsv", "\ufeffid\tLabel\tText\n1\tham\ta\tb\n2\tspam\tc\n"), rows);
	t.deepEqual(await read(t, "set.tsv", "text\tlabel\nwin\tspam\n"), [["spam", "win", "2"]]);
	const columns = { textColumn: "sentence", labelColumn: "kind" };
	t.deepEqual(await read(t, "set.tsv", "sentence\tkind\nwin\tspam\n", columns), [["spam", "win", "2"]]);
	// A class may have the name of a column.
	t.deepEqual(await read(t, "set.tsv", "label\tmessage\nother\tx\nlabel\ty\n"), [
		["label", "message", "1"],
		["other", "x", "2"],
		["label", "y", "3"],
	]);
});

test("TSV: a header with other names, texts before labels and quoted texts are refused with advice", async (t) => {
	t.is(
		await refusal(t, "a.tsv", "sentence\tlabel\nhi\tham\n"),
		'a.tsv:1: no column "text" (--text-column); found sentence, label',
	);
	t.is(
		await refusal(t, "a.tsv", "category\tmessage\nham\thi\n"),
		'a.tsv:1: no column "text" (--text-column); found category, message',
	);
	t.is(
		await refusal(t, "a.tsv", "id\ttext\tlabel\n1\thi\tham\n2\thi\n"),
		"a.tsv:3: found 2 fields, expected 3 as in the header",
	);
	t.is(
		await refusal(t, "a.tsv", "label\ttext\nham\thi\nlabel\ttext\nham\tbye\n"),
		"a.tsv:3: found the header again, expected a row; remove this line",
	);
	t.is(
		await refusal(t, "a.tsv", "hi\tham\nwin\tspam\nbye\tham\nnow\tspam\n"),
		'a.tsv:1: found texts before labels ("ham", "spam"), expected label<TAB>text, or text<TAB>label as the first line',
	);
	for (const content of [
		'ham\t"a ""b"" c"\nham\tplain\n',
		'ham\t"a"\nspam\t"b"\n',
		'label\ttext\nham\t"a"\nspam\t"b"\n',
	])
		t.regex(await refusal(t, "a.tsv", content), /^a\.tsv:[12]: found a text in quotes, .* named \.csv/);
	t.is((await read(t, "a.tsv", 'ham\t"a"\nham\t"b" or "c"\n')).length, 2);
});

for (const [title, lineEnd] of [
	["CR LF", "\r\n"],
	["CR CR LF", "\r\r\n"],
	["CR alone", "\r"],
] as const) {
	test(`line ends of ${title} are read in every format, blank lines are skipped`, async (t) => {
		const lines = {
			"a.tsv": ["ham\ta b", "", "spam\tc", " "],
			"a.csv": ["label,text", "ham,a b", "", 'spam,"c"', ",", ""],
			"a.jsonl": ['{"label":"ham","text":"a b"}', "", '{"label":"spam","text":"c"}', ""],
		};
		for (const [name, of] of Object.entries(lines)) {
			const first = name === "a.csv" ? 2 : 1;
			t.deepEqual(
				await read(t, name, of.join(lineEnd)),
				[
					["ham", "a b", String(first)],
					["spam", "c", String(first + 2)],
				],
				name,
			);
		}
		const folder = await temporaryFolder(t, { "ham/1": ["a", "b", ""].join(lineEnd) });
		t.deepEqual((await readDataset(folder)).examples[0]?.text, "a\nb");
	});
}

test("a label is the same in every format: blanks, invisible characters, composition and trailing zeros don't count", async (t) => {
	const same = [
		["ham", "ham ", " ham", "ham\u00a0", "\u2003ham\u3000", "ham\u200b", "\ufeffham"],
		["gr\u00f6\u00dfe", "gro\u0308\u00dfe"],
		["1", "1.0", "1.00"],
		["0", "-0.0"],
		["-2.5", "-2.50"],
	];
	for (const [label = "", ...others] of same) {
		const all = [label, ...others];
		const expected = all.map((_, index) => [label, "x", index]);
		const labelsOf = async (name: string, lines: string[]) =>
			(await read(t, name, lines.join("\n"))).map(([found, text], index) => [found, text, index]);
		t.deepEqual(
			await labelsOf(
				"a.tsv",
				all.map((of) => `${of}\tx`),
			),
			expected,
		);
		t.deepEqual(await labelsOf("a.csv", ["label,text", ...all.map((of) => `${of},x`)]), expected);
		t.deepEqual(
			await labelsOf(
				"a.jsonl",
				all.map((of) => JSON.stringify({ label: of, text: "x" })),
			),
			expected,
		);
	}
	t.deepEqual(await read(t, "a.jsonl", '{"label":1.0,"text":"x"}\n{"label":-0,"text":"x"}'), [
		["1", "x", "1"],
		["0", "x", "2"],
	]);
	t.is((await read(t, "a.tsv", "1.10.0\tx"))[0]?.[0], "1.10.0");
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

test("one folder per label: files sorted by name; hidden files and files next to the folders are skipped", async (t) => {
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

test("any text survives writing and reading as CSV and JSONL", async (t) => {
	const texts = fc.array(
		fc.record({
			label: fc.string({ unit: "grapheme" }).map((label) => `<${label}>`.normalize("NFC")),
			text: fc.string({ unit: "binary" }).map((text) => `.${text.replaceAll("\0", "")}`),
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

test("missing texts or labels are refused with their line", async (t) => {
	t.is(await refusal(t, "a.tsv", "ham\tx\nham\t \n"), "a.tsv:2: the text is empty");
	t.is(await refusal(t, "a.tsv", "ham\tx\n\ty\n"), "a.tsv:2: no label, expected a label and a text");
	t.is(await refusal(t, "a.tsv", "ham\tx\n\u00a0\u200b\ty\n"), "a.tsv:2: no label, expected a label and a text");
	t.is(await refusal(t, "a.tsv", "ham\tx\nham y\n"), "a.tsv:2: no label, expected a label and a text");
	t.is(await refusal(t, "a.csv", 'label,text\nham,"x\ny"\n\nham,\n'), "a.csv:5: the text is empty");
	t.is(await refusal(t, "a.csv", "label,text\n,x\n"), "a.csv:2: no label, expected a label and a text");
	t.is(await refusal(t, "a.jsonl", '{"text":"","label":"y"}'), "a.jsonl:1: the text is empty");
});

test("rows of another shape are refused, and the message names the shape found", async (t) => {
	t.is(await refusal(t, "a.csv", "label,text\nham,x,y\n"), "a.csv:2: found 3 fields, expected 2 as in the header");
	t.regex(
		await refusal(t, "a.csv", 'label,text\nham,x\nham,"y\n'),
		/^a\.csv:3: found a quoted field that is never closed/,
	);
	t.is(await refusal(t, "a.csv", "label,text\nham\n"), "a.csv:2: found 1 field, expected 2 as in the header");
	t.is(
		await refusal(t, "a.csv", "label,text\nham,x\nlabel,text\n"),
		"a.csv:3: found the header again, expected a row; remove this line",
	);
	t.is(
		await refusal(t, "a.csv", "text,label,text\nx,ham,y\n"),
		'a.csv:1: 2 columns "text" (--text-column); found text, label, text',
	);
	t.is(await refusal(t, "a.csv", "label/text\nham/x\n"), 'a.csv:1: no column "text" (--text-column); found label/text');
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
	t.is(
		await refusal(t, "a.jsonl", '{"text":"x","label":12345678901234567}'),
		"a.jsonl:1: label: found a number of more than 15 digits, expected it as a string, in quotes",
	);
	t.is(await refusal(t, "a.jsonl", "{"), "a.jsonl:1: not JSON, expected one JSON object per line");
	t.is(
		await refusal(t, "a.jsonl", `{"text":"x","label":${"[".repeat(10_000)}${"]".repeat(10_000)}}`),
		"a.jsonl:1: found more than 128 levels of lists and objects, expected at most 128",
	);
	t.is(await refusal(t, "a.jsonl", "[1]"), "a.jsonl:1: found a list, expected one JSON object per line");
	t.regex(await refusal(t, "a.dat", "ham x\n"), /^a\.dat:1: no tab, expected label<TAB>text/);
});

test("bytes that aren't UTF-8 are refused with the line of the first one", async (t) => {
	const content = Buffer.concat([Buffer.from("ham\tcafé\nham\tcaf"), Buffer.from([0xe9]), Buffer.from("\nham\tx\n")]);
	const expected = "expected UTF-8, or --encoding latin1 for a file in ISO 8859-1 or Windows-1252";
	t.is(await refusal(t, "a.tsv", content), `a.tsv:2: found bytes that aren't UTF-8, ${expected}`);
	t.is((await read(t, "a.tsv", content.subarray(11), { encoding: "latin1" }))[0]?.[1], "café");
	t.is(await refusal(t, "a.tsv", "ham\tx\nham\ty\0\n"), "a.tsv:2: found a NUL byte, expected text in UTF-8");
});

test("files and folders that contain no texts or don't exist are refused", async (t) => {
	t.is(await refusal(t, "a.tsv", ""), "a.tsv: empty, expected texts");
	t.is(await refusal(t, "a.csv", "\ufeff\n"), "a.csv: empty, expected texts");
	t.is(await refusal(t, "a.csv", "label,text\n"), "a.csv: contains no texts, expected at least one");
	const folder = await temporaryFolder(t, { "no-folders/a.txt": "x", "deep/ham/deeper/a.txt": "x", "gap/ham/1": "x" });
	await mkdir(join(folder, "gap/spam"));
	const empty = {
		code: "data",
		message: /gap\/spam: no files in it, expected one for each text; or remove the folder$/,
	};
	await t.throwsAsync(readDataset(join(folder, "gap")), empty);
	const missing = { instanceOf: TailtuneError, code: "not-found", message: /missing\.tsv: no such file or folder$/ };
	await t.throwsAsync(readDataset(join(folder, "missing.tsv")), missing);
	await t.throwsAsync(readDataset(join(folder, "no-folders")), {
		code: "data",
		message: /expected one for each label$/,
	});
	await t.throwsAsync(readDataset(join(folder, "deep")), { code: "data", message: /deeper: found a folder/ });
});
