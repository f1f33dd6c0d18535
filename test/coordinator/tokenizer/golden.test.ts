import { createHash } from "node:crypto";
import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { loadTokenizer } from "../../../coordinator/tokenizer/load-tokenizer.ts";
import { writeTokenizer } from "../../../coordinator/tokenizer/write-tokenizer.ts";
import { SPECIAL_TOKENS, type SpecialTokensInTexts } from "../../../shared/settings/config.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const NAMES = ["byte-level", "word-piece"] as const;

/** Ids of Hugging Face's library: see `test/golden/tokenizers/generate.py`. */
interface GoldenIds {
	readonly texts: readonly string[];
	/** By tokenizer and meaning of special tokens. */
	readonly ids: Readonly<Record<string, readonly (readonly number[])[]>>;
	/** Hash over all characters of plane 0, of the byte-level tokenizer. */
	readonly plane0: string;
}

const golden = new URL("../../golden/tokenizers/", import.meta.url);
const { texts, ids, plane0 }: GoldenIds = JSON.parse(await readFile(new URL("ids.json", golden), "utf8"));

/** Loads a tokenizer from a folder with only its `tokenizer.json`. */
async function load(t: ExecutionContext, name: string, specialTokens: SpecialTokensInTexts = "text") {
	const folder = await temporaryFolder(t);
	await copyFile(new URL(`${name}.json`, golden), join(folder, "tokenizer.json"));
	return loadTokenizer(folder, 1000, specialTokens);
}

for (const name of NAMES) {
	test(`${name}: texts have the ids of Hugging Face's library, also after the tokenizer was written again`, async (t) => {
		for (const specialTokens of SPECIAL_TOKENS) {
			const tokenizer = await load(t, name, specialTokens);
			const folder = await temporaryFolder(t);
			await writeTokenizer(folder, tokenizer, 100);
			const again = await loadTokenizer(folder, 1000, specialTokens);
			t.is(again.hash, tokenizer.hash);
			const expected = ids[`${name} ${specialTokens}`] ?? [];
			for (const own of [tokenizer, again])
				for (const [i, tokens] of own.tokenize(texts).entries())
					t.deepEqual([...tokens], expected[i], `${specialTokens}: ${JSON.stringify(texts[i])}`);
		}
	});
}

test("byte-level: all characters of plane 0 have the ids of Hugging Face's library", async (t) => {
	const { tokenize } = await load(t, "byte-level");
	const points = Array.from({ length: 0x10000 }, (_, point) => point).filter((point) => point >> 11 !== 0xd800 >> 11);
	const hash = createHash("sha256");
	for (let start = 0; start < points.length; start += 16) {
		const characters = points.slice(start, start + 16).map((point) => String.fromCharCode(point));
		const [tokens = []] = tokenize([characters.map((c) => `${c} ${c}a${c}1`).join("")]);
		hash.update(Uint32Array.of(tokens.length, ...tokens));
	}
	t.is(hash.digest("hex"), plane0);
});
