import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { writeTokenizer } from "../../../coordinator/tokenizer/write-tokenizer.ts";
import { gpt2 } from "../../gpt2-tokenizer.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

test("writes the vocabulary and merges published by OpenAI, and the same in one tokenizer.json", async (t) => {
	const folder = await temporaryFolder(t);
	await writeTokenizer(folder, gpt2, 256);
	const textOf = (name: string) => readFile(join(folder, name), "utf8");
	const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
	t.deepEqual((await readdir(folder)).sort(), ["merges.txt", "tokenizer.json", "tokenizer_config.json", "vocab.json"]);
	// The checksums in tiktoken's openai_public.py for encoder.json and vocab.bpe.
	const [vocabulary, merges] = [await textOf("vocab.json"), await textOf("merges.txt")];
	t.is(sha256(vocabulary), "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783");
	t.is(sha256(merges), "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5");
	const { model, added_tokens, pre_tokenizer, normalizer } = JSON.parse(await textOf("tokenizer.json"));
	t.deepEqual(model.vocab, JSON.parse(vocabulary));
	t.deepEqual(model.merges, merges.trimEnd().split("\n").slice(1));
	t.like(added_tokens, [{ id: 50256, content: "<|endoftext|>", special: true }]);
	t.like(pre_tokenizer, { type: "ByteLevel", add_prefix_space: false, use_regex: true });
	t.is(normalizer, null);
	// transformers pads and cuts on the right, and reads the name of the special token as text.
	t.like(JSON.parse(await textOf("tokenizer_config.json")), {
		tokenizer_class: "PreTrainedTokenizerFast",
		pad_token: "<|endoftext|>",
		padding_side: "right",
		truncation_side: "right",
		model_max_length: 256,
		split_special_tokens: true,
	});
});
