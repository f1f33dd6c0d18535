import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { assertRefused, removeFolder, workFolder } from "./refusals.ts";
import { sampleTexts, start } from "./tailtune.ts";

const folder = await workFolder();

const FILES: Readonly<Record<string, string | Uint8Array>> = {
	"texts.tsv": sampleTexts(10),
	"empty.tsv": "",
	"header.csv": "label,text\n",
	"one.tsv": "ham\ta\nham\tb\nham\tc\nham\td\n",
	"few.tsv": "ham\ta\nham\tb\nham\tc\nham\td\nspam\te\nspam\tf\n",
	"columns.csv": "id,body,kind\n1,hello,ham\n",
	"fields.csv": "label,text\nham,hello\nspam,win, now\n",
	"fields.jsonl": '{"label":"ham","text":"a"}\n{"label":"spam","body":"b"}\n',
	"object.jsonl": '{"label":"ham","text":"a"}\n"spam"\n',
	"latin1.tsv": Buffer.from("ham\tsee you\nspam\tcaf\xe9\n", "latin1"),
	"text-first.tsv": "see you\tham\nwin\tspam\nbye\tham\nnow\tspam\n",
	"no-label.tsv": "ham\tsee you\nwin\n",
	"open.csv": 'label,text\nham,hello\nspam,"win\nham,bye\n',
	"quote.csv": 'label,text\nham,so "called"\n',
	"long.tsv": `${sampleTexts(10)}ham\t${"more and ".repeat(150)}\n`,
	"strange.tsv": "ham\tsee you\neggs\twin\n",
};

test.before(async () => {
	for (const [name, content] of Object.entries(FILES)) await writeFile(join(folder, name), content);
	await mkdir(join(folder, "no-labels"));
	await mkdir(join(folder, "nested", "ham", "deeper"), { recursive: true });
});

test.after.always(() => removeFolder(folder));

const refused: [title: string, data: string, message: string][] = [
	["a missing file", "none.tsv", "none.tsv: no such file or folder"],
	[
		"a path through a file",
		"one.tsv/x",
		"one.tsv/x: no such file or folder: a part of this path is a file, not a folder",
	],
	["a folder without labels", "no-labels", "no-labels: no folders in it, expected one for each label"],
	[
		"a folder where a text is expected",
		"nested",
		"nested/ham/deeper: found a folder, expected only files in a label's folder",
	],
	["an empty file", "empty.tsv", "empty.tsv: empty, expected texts"],
	["a header without rows", "header.csv", "header.csv: contains no texts, expected at least one"],
	["texts of one label", "one.tsv", 'one.tsv:1: found only label "ham" in 4 texts, expected at least 2 labels'],
	[
		"a label with two texts",
		"few.tsv",
		'few.tsv:5: label "spam": found 2 texts, expected at least 3, one for each set',
	],
	["an unknown column", "columns.csv", 'columns.csv:1: no column "text" (--text-column); found id, body, kind'],
	["a row with another number of fields", "fields.csv", "fields.csv:3: found 3 fields, expected 2 as in the header"],
	["an unknown field", "fields.jsonl", 'fields.jsonl:2: no field "text" (--text-column); found label, body'],
	["a line that isn't an object", "object.jsonl", "object.jsonl:2: found a string, expected one JSON object per line"],
	[
		"bytes that aren't UTF-8",
		"latin1.tsv",
		"latin1.tsv:2: found bytes that aren't UTF-8, expected UTF-8, or --encoding latin1 for a file in ISO 8859-1 or Windows-1252",
	],
	[
		"texts before labels",
		"text-first.tsv",
		'text-first.tsv:1: found texts before labels ("ham", "spam"), expected label<TAB>text, or text<TAB>label as the first line',
	],
	["a row without a label", "no-label.tsv", "no-label.tsv:2: no label, expected a label and a text"],
	[
		"a quoted field that never ends",
		"open.csv",
		"open.csv:3: found a quoted field that is never closed, expected another quote at its end",
	],
	[
		"a quote inside a plain field",
		"quote.csv",
		"quote.csv:2: found a quote inside a field without quotes, expected the whole field in quotes",
	],
	[
		"a text that is too long for the model",
		"long.tsv",
		"long.tsv:21: found a text of 301 tokens, expected at most 256 (the model's context); for longer texts use --long cut, head-tail or windows",
	],
];

for (const [title, data, message] of refused) {
	test.serial(`refuses ${title}`, (t) =>
		assertRefused(t, folder, ["train", "--data", data, "--model", "demo", "--out", "out", "--balance", "none"], {
			exitCode: 1,
			message,
		}),
	);
}

test.serial("refuses a label with two texts before balancing", (t) =>
	assertRefused(t, folder, ["train", "--data", "few.tsv", "--model", "demo", "--out", "out"], {
		exitCode: 1,
		message: 'few.tsv:5: label "spam": found 2 texts, expected at least 3, one for each set',
	}),
);

test.serial("refuses a label in --test that isn't in --train", (t) => {
	const sets = ["--train", "texts.tsv", "--validation", "texts.tsv", "--test", "strange.tsv"];
	return assertRefused(t, folder, ["train", ...sets, "--model", "demo", "--out", "out"], {
		exitCode: 1,
		message: 'strange.tsv:2: label "eggs", expected one of ham, spam',
	});
});

test.serial("accepts a text that is too long for the model if it may be cut", async (t) => {
	const flags = ["--model", "demo", "--balance", "none", "--long", "cut", "--epochs", "1", "--threads", "1"];
	const { exitCode, stderr } = await start(["train", "--data", "long.tsv", "--out", "cut", ...flags], {}, folder);
	t.is(String(stderr), "");
	t.is(exitCode, 0);
});

test.serial("accepts a file name that is a number", async (t) => {
	await writeFile(join(folder, "2024"), FILES["one.tsv"] as string);
	await assertRefused(t, folder, ["train", "--data", "2024", "--model", "demo", "--out", "out"], {
		exitCode: 1,
		message: '2024:1: found only label "ham" in 4 texts, expected at least 2 labels',
	});
});
