import { join } from "node:path";
import test from "ava";
import { readTexts } from "../../../shared/data/read-texts.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

test("texts come from every format, with labels or without", async (t) => {
	const folder = await temporaryFolder(t, {
		"a.txt": "one\r\ntwo\tparts\n",
		"a.csv": 'text\none\n"two\tparts"\n',
		"a.jsonl": '{"text":"one"}\n{"text":"two\\tparts"}\n',
		"a.tsv": "ham\tone\nham\ttwo\tparts\n",
		lines: "one\ntwo\tparts\n",
		labelled: "ham\tone\nham\ttwo\tparts\n",
		"folder/ham/1": "one",
		"folder/spam/2": "two\tparts",
	});
	for (const name of ["a.txt", "a.csv", "a.jsonl", "a.tsv", "labelled", "folder"]) {
		t.deepEqual(await readTexts(join(folder, name)), ["one", "two\tparts"], name);
	}
	t.deepEqual(await readTexts(join(folder, "lines")), ["one", "two\tparts"]);
});

test("the text column can be named, and an empty row is refused with its line", async (t) => {
	const folder = await temporaryFolder(t, { "a.csv": "body\none\n", "b.txt": "one\n\ntwo\n" });
	t.deepEqual(await readTexts(join(folder, "a.csv"), { textColumn: "body" }), ["one"]);
	await t.throwsAsync(readTexts(join(folder, "a.csv")), { code: "data", message: /no column "text"/ });
	await t.throwsAsync(readTexts(join(folder, "b.txt")), { code: "data", message: /b\.txt:2: empty row/ });
});
