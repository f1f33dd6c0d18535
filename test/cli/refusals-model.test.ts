import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { writeHostileModels } from "./hostile-models.ts";
import { assertRefused, removeFolder, workFolder } from "./refusals.ts";
import { sampleTexts, start } from "./tailtune.ts";

const folder = await workFolder();

test.before(async () => {
	await writeFile(join(folder, "texts.tsv"), sampleTexts(10));
	await writeHostileModels(folder);
});

test.after.always(() => removeFolder(folder));

const train = (model: string) => ["train", "--data", "texts.tsv", "--model", model, "--out", "out"];

const NO_CONFIG =
	"--model no-config: found a folder without config.json, expected a folder with config.json and model.safetensors (and a tokenizer, unless it is GPT-2's)";

const refused: [title: string, model: string, message: string][] = [
	[
		"a name that matches nothing",
		"./none",
		"--model ./none: no such folder, expected a folder, a hub id (for example gpt2 or owner/name@revision), demo, or random:small",
	],
	[
		"a file",
		"texts.tsv",
		"--model texts.tsv: found a file, expected a folder with config.json and model.safetensors (and a tokenizer, unless it is GPT-2's)",
	],
	["a folder without config.json", "no-config", NO_CONFIG],
	["a config.json cut short", "config-no-json", `${folder}/config-no-json/config.json: not JSON`],
	["a config.json with a list", "config-list", `${folder}/config-list/config.json: found [], expected an object`],
	["a model that isn't a GPT-2", "bert", `${folder}/bert/config.json: model_type: found "bert", expected "gpt2"`],
	[
		"an unknown activation",
		"mish",
		`${folder}/mish/config.json: activation_function: found "mish", expected one of gelu, gelu_new, gelu_pytorch_tanh, gelu_fast, relu, silu`,
	],
	[
		"heads that don't divide the width",
		"heads",
		`${folder}/heads/config.json: n_embd: found 8, expected a multiple of n_head (3)`,
	],
	["a model without blocks", "no-blocks", `${folder}/no-blocks/config.json: n_layer: found 0, expected at least 1`],
	[
		"weights with another width than in config.json",
		"other-width",
		`${folder}/other-width/model.safetensors: tensor "wte.weight": found [50257,8], expected [50257,16]`,
	],
	[
		"a folder without weights",
		"no-weights",
		`${folder}/no-weights: found neither model.safetensors nor model.safetensors.index.json (other formats aren't read)`,
	],
	[
		"weights that are a folder",
		"weights-folder",
		`${folder}/weights-folder/model.safetensors: found a folder, expected a file`,
	],
	[
		"weights that aren't a safetensors file",
		"no-safetensors",
		`${folder}/no-safetensors/model.safetensors: found header length 8241904413164530000, expected at most 12 (cut short, or not a safetensors file?)`,
	],
	["an empty file of weights", "empty", `${folder}/empty/model.safetensors: found 0 bytes, expected at least 8`],
	[
		"weights cut short in the header",
		"cut-header",
		`${folder}/cut-header/model.safetensors: found header length 1336, expected at most 92 (cut short, or not a safetensors file?)`,
	],
	[
		"weights cut short",
		"cut-data",
		`${folder}/cut-data/model.safetensors: tensor "wte.weight": found its end at byte 1609568, expected at most 1000000, the file's (cut short?)`,
	],
	[
		"a header longer than the file",
		"longer-header",
		`${folder}/longer-header/model.safetensors: found header length 1152921504606847000, expected at most 1615160 (cut short, or not a safetensors file?)`,
	],
	[
		"a shape larger than its bytes",
		"larger-shape",
		`${folder}/larger-shape/model.safetensors: tensor "wpe.weight": found 2048 bytes, expected 20480 for F32 [640,8]`,
	],
	[
		"a tensor in the place of another",
		"moved-tensor",
		`${folder}/moved-tensor/model.safetensors: tensor "wte.weight": found its start at byte 1294, expected 1326, the end of the tensor before`,
	],
	["a missing tensor", "missing-tensor", `${folder}/missing-tensor: tensor "ln_f.bias": missing, expected [8]`],
	[
		"a misshapen tensor",
		"turned-tensor",
		`${folder}/turned-tensor/model.safetensors: tensor "wpe.weight": found [8,64], expected [64,8]`,
	],
	[
		"weights that are whole numbers",
		"whole-numbers",
		`${folder}/whole-numbers/model.safetensors: tensor "ln_f.bias": found type I32, expected F32, F16, BF16 or F64`,
	],
	[
		"weights with NaN",
		"nan",
		`${folder}/nan/model.safetensors: tensor "h.0.mlp.c_fc.weight": found NaN or infinity, expected finite numbers`,
	],
	[
		"a vocabulary that isn't GPT-2's, without a tokenizer",
		"few-tokens",
		`${folder}/few-tokens/config.json: vocab_size: found 300, not GPT-2's 50257; expected a tokenizer.json (or vocab.json and merges.txt, or vocab.txt) in the same folder`,
	],
];

for (const [title, model, message] of refused) {
	test.serial(`refuses ${title}`, (t) => assertRefused(t, folder, train(model), { exitCode: 1, message }));
}

test.serial("refuses a folder that holds no model before the texts are read", async (t) => {
	const late = ["--data", "none.tsv", "--model", "no-config"];
	await assertRefused(t, folder, ["train", ...late], { exitCode: 1, message: NO_CONFIG });
	const message = NO_CONFIG.replace("no-config", `${folder}/no-config`);
	const sweep = ["sweep", "--data", "texts.tsv", "--model", "demo,no-config"];
	await assertRefused(t, folder, sweep, { exitCode: 1, message });
});

test.serial("refuses a hub model at once if there is no network, and names alternatives", (t) =>
	assertRefused(t, folder, train("nobody/nothing"), {
		exitCode: 1,
		message: "--model nobody/nothing: http://127.0.0.1:9 can't be reached; use --model demo or --model FOLDER instead",
	}),
);

test.serial("accepts the model from which the broken models were made", async (t) => {
	const flags = ["--epochs", "1", "--threads", "1"];
	const { exitCode, stderr } = await start([...train("good"), ...flags], {}, folder);
	t.is(String(stderr), "");
	t.is(exitCode, 0);
});
