import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { readInitialParameters } from "../../../coordinator/base-model/initial-parameters.ts";
import { openTunedModel } from "../../../coordinator/classify/tuned-model.ts";
import { exportClassifier } from "../../../coordinator/export/export-classifier.ts";
import { createTokenizer, type Tokenizer } from "../../../coordinator/tokenizer/tokenizer.ts";
import { tokenizerJsonSchema } from "../../../coordinator/tokenizer/tokenizer-definition.ts";
import { writeJson } from "../../../shared/files/write-atomic.ts";
import { openModel } from "../../../shared/model/open-model.ts";
import { plainTail } from "../../../shared/model/tail-spec.ts";
import { TINY, tinyModel } from "../../shared/model/tiny-model.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

/** Creates a byte-level tokenizer of two letters and a special token, for the tiny model's 11 rows. */
function createTinyTokenizer(): Promise<Tokenizer> {
	const json = tokenizerJsonSchema.parse({
		added_tokens: [{ id: 10, content: "<end>", special: true }],
		pre_tokenizer: { type: "ByteLevel" },
		model: { type: "BPE", vocab: { a: 0, b: 1 }, merges: [] },
	});
	return createTokenizer({ name: "tiny", json, special: {} }, TINY.vocab_size, "text");
}

test("refuses a folder whose two files number the labels differently", async (t) => {
	const folder = join(await temporaryFolder(t), "model");
	const model = await openModel(await tinyModel(t));
	const spec = plainTail("TRAINABLE_HEAD", 2);
	const tokenizer = await createTinyTokenizer();
	const labels = ["LABEL_0", "LABEL_1"];
	const parameters = await readInitialParameters(model, spec, 1);
	const settings = {
		format: 1,
		labels,
		token: "last-real",
		causal: true,
		maxTokens: 6,
		padTo: null,
		padId: 0,
		tokenizer: tokenizer.hash,
	};
	await exportClassifier({ model, spec, parameters, labels, tokenizer, folder, extra: settings });
	t.like(await openTunedModel(folder), { settings: { labels }, model: { labels } });

	await writeJson(join(folder, "tailtune.json"), { ...settings, labels: [...labels].reverse() });
	await t.throwsAsync(openTunedModel(folder), {
		code: "model",
		message:
			/config\.json: id2label: found \["LABEL_0","LABEL_1"\], expected .* as in tailtune\.json: \["LABEL_1","LABEL_0"\]$/,
	});
	await writeJson(join(folder, "tailtune.json"), settings);
	const config = JSON.parse(await readFile(join(folder, "config.json"), "utf8"));
	await writeFile(join(folder, "config.json"), JSON.stringify({ ...config, id2label: undefined }));
	await t.throwsAsync(openTunedModel(folder), {
		code: "model",
		message: /config\.json: id2label: found \[\], expected/,
	});
});
