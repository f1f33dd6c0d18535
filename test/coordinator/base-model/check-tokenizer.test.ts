import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { checkTokenizer } from "../../../coordinator/base-model/check-tokenizer.ts";
import { writeTokenizer } from "../../../coordinator/base-model/tokenizer-files.ts";
import { newFolder } from "../../new-folder.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const original = await newFolder();
test.before(() => writeTokenizer(original, 1024));
test.after.always(() => rm(original, { recursive: true }));

/** Makes a folder with GPT-2's tokenizer. */
async function tokenizerFolder(t: ExecutionContext): Promise<string> {
	const folder = join(await temporaryFolder(t), "tokenizer");
	await cp(original, folder, { recursive: true });
	return folder;
}

/** Replaces a text in a file, which must contain it. */
async function change(folder: string, name: string, from: string | RegExp, to: string): Promise<void> {
	const before = await readFile(join(folder, name), "utf8");
	const after = before.replace(from, to);
	if (after === before) throw new Error(`${name}: nothing to change`);
	await writeFile(join(folder, name), after);
}

test("accepts GPT-2's vocabulary with and without its files, with padded rows, and with added special tokens", async (t) => {
	const folder = await tokenizerFolder(t);
	await t.notThrowsAsync(checkTokenizer(folder, 50257));
	const bare = await temporaryFolder(t);
	for (const size of [50257, 50304]) await t.notThrowsAsync(checkTokenizer(bare, size));
	const pad = '{"id":50257,"content":"[PAD]","special":true}';
	await change(folder, "tokenizer.json", '"added_tokens":[', `"added_tokens":[${pad},`);
	await writeFile(join(folder, "added_tokens.json"), '{"[PAD]":50257}');
	await t.notThrowsAsync(checkTokenizer(folder, 50258));
});

test("accepts older and newer forms of the same files", async (t) => {
	const folder = await tokenizerFolder(t);
	// As in OpenAI's models on the hub (no type, no regex flag), and with merges as transformers 5 writes them.
	await change(folder, "tokenizer.json", '"type":"BPE",', "");
	await change(folder, "tokenizer.json", ',"use_regex":true', "");
	const tokenizer = JSON.parse(await readFile(join(folder, "tokenizer.json"), "utf8"));
	tokenizer.model.merges = tokenizer.model.merges.map((merge: string) => merge.split(" "));
	await writeFile(join(folder, "tokenizer.json"), JSON.stringify(tokenizer, null, 2));
	await writeFile(join(folder, "tokenizer_config.json"), '{"model_max_length":1024}');
	await change(folder, "merges.txt", "#version: 0.2\n", "");
	await change(folder, "merges.txt", /\n/g, "\r\n");
	await t.notThrowsAsync(checkTokenizer(folder, 50257));
});

const REFUSED: [what: string, file: string, from: string | RegExp, to: string, found: string][] = [
	["another id", "vocab.json", '"\\u0120the": 262', '"\\u0120the": 263', 'token "Ġthe": found id 263, expected id 262'],
	["a missing token", "vocab.json", '"\\u0120the": 262, ', "", 'token "Ġthe": found none, expected id 262'],
	["another vocabulary", "vocab.json", /.*/s, '{"the":0}', 'token "!": found none, expected id 0'],
	["merges in another order", "merges.txt", "Ġ t", "t Ġ", "merges: found 50000 that"],
	["too few merges", "merges.txt", /\ni n\n.*/s, "", "merges: found 3 that"],
	["another class", "tokenizer_config.json", "GPT2Tokenizer", "BertTokenizer", "tokenizer_class: found"],
	["a blank before texts", "tokenizer_config.json", '_space": false', '_space": true', "add_prefix_space: found true"],
	["lower case", "tokenizer_config.json", "{", '{"do_lower_case": true,', "do_lower_case: found true"],
	["a token before texts", "tokenizer_config.json", "{", '{"add_bos_token": true,', "add_bos_token: found true"],
	["a normalizer", "tokenizer.json", '"normalizer":null', '"normalizer":{"type":"NFC"}', "normalizer: found"],
	["other words", "tokenizer.json", '"type":"ByteLevel"', '"type":"Whitespace"', "pre_tokenizer.type: found"],
	["a prefix space", "tokenizer.json", '_space":false', '_space":true', "pre_tokenizer.add_prefix_space: found true"],
	["other ids", "tokenizer.json", '"Ġthe":262', '"Ġthe":50300', 'token "Ġthe": found id 50300'],
	["other merges", "tokenizer.json", '"Ġ t"', '"t Ġ"', "merges: found 50000 that"],
	["another model", "tokenizer.json", '"type":"BPE"', '"type":"Unigram"', 'model.type: found "Unigram"'],
	[
		"an added word",
		"tokenizer.json",
		'"added_tokens":[',
		'"added_tokens":[{"content":"crypto","special":false},',
		'found the added token "crypto"',
	],
];

for (const [what, file, from, to, found] of REFUSED) {
	test(`refuses ${what} in ${file}, naming the file`, async (t) => {
		const folder = await temporaryFolder(t);
		await cp(join(original, file), join(folder, file));
		await change(folder, file, from, to);
		const error = await t.throwsAsync(checkTokenizer(folder, 50257), { code: "model" });
		t.true(error?.message.startsWith(`${join(folder, file)}: ${found}`), error?.message);
		t.true(error?.message.endsWith("; only GPT-2's tokenizer is supported"));
	});
}

test("refuses a vocabulary of another size, another tokenizer's file, and added ordinary tokens without a tokenizer.json", async (t) => {
	const bare = await temporaryFolder(t);
	for (const size of [50256, 50265, 32000]) {
		await t.throwsAsync(checkTokenizer(bare, size), {
			message: /config\.json: vocab_size: found \d+, expected 50257;/,
		});
	}
	await writeFile(join(bare, "vocab.txt"), "[PAD]\n[UNK]\n");
	await t.throwsAsync(checkTokenizer(bare, 50257), { message: /vocab\.txt: found another tokenizer's file;/ });
	const folder = await tokenizerFolder(t);
	await writeFile(join(folder, "added_tokens.json"), '{"crypto":50257}');
	await t.notThrowsAsync(checkTokenizer(folder, 50258));
	await rm(join(folder, "tokenizer.json"));
	await t.throwsAsync(checkTokenizer(folder, 50258), {
		message: /added_tokens\.json: found the added token "crypto";/,
	});
});
