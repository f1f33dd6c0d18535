import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { readInitialParameters } from "../../../coordinator/base-model/initial-parameters.ts";
import { openTunedModel } from "../../../coordinator/classify/tuned-model.ts";
import { exportClassifier } from "../../../coordinator/export/export-classifier.ts";
import { writeJson } from "../../../shared/files/write-atomic.ts";
import { openModel } from "../../../shared/model/open-model.ts";
import { plainTail } from "../../../shared/model/tail-spec.ts";
import { tinyModel } from "../../shared/model/tiny-model.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

test("refuses a folder whose two files number the labels differently", async (t) => {
	const folder = join(await temporaryFolder(t), "model");
	const model = await openModel(await tinyModel(t));
	const spec = plainTail("TRAINABLE_HEAD", 2);
	const labels = ["LABEL_0", "LABEL_1"];
	const parameters = await readInitialParameters(model, spec, 1);
	const settings = { format: 1, labels, token: "last-real", causal: true, maxTokens: 6, padTo: null, padId: 0 };
	await exportClassifier({ model, spec, parameters, labels, folder, extra: settings });
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
