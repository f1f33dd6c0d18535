import { writeFile } from "node:fs/promises";
import os from "node:os";
import { join } from "node:path";
import test from "ava";
import { assertRefused, removeFolder, workFolder } from "./refusals.ts";
import { sampleTexts, start } from "./tailtune.ts";

const folder = await workFolder();

test.before(async () => {
	await writeFile(join(folder, "texts.tsv"), sampleTexts(20));
	await writeFile(join(folder, "typo.yaml"), "epoch: 3\n");
	await writeFile(join(folder, "word.yaml"), "epochs: two\n");
	await writeFile(join(folder, "sweep.yaml"), "data: texts.tsv\nepochs: [1, two]\n");
	await writeFile(join(folder, "two-sets.yaml"), "data: [texts.tsv, more.tsv]\n");
	await writeFile(join(folder, "broken.yaml"), "a: [1,\nb: }\n");
	await writeFile(join(folder, "list.yaml"), "- epochs\n");
	await writeFile(join(folder, "circle.yaml"), "epochs: &x [*x]\n");
	await writeFile(join(folder, "deep.yaml"), `epochs: ${"[".repeat(20_000)}${"]".repeat(20_000)}\n`);
});

test.after.always(() => removeFolder(folder));

test.serial("a big-endian machine is refused at the start", async (t) => {
	const { endianness } = os;
	os.endianness = () => "BE";
	t.teardown(() => {
		os.endianness = endianness;
	});
	const message = `${os.arch()}: found a big-endian processor, expected a little-endian one`;
	await assertRefused(t, folder, ["doctor"], { exitCode: 1, message });
});

const TRAIN = ["train", "--data", "texts.tsv", "--model", "demo", "--out", "out"];

const SWEEP = ["sweep", ...TRAIN.slice(1)];

const refused: [title: string, args: readonly string[], message: string][] = [
	[
		"no command",
		[],
		"expected a command: train, sweep, evaluate, compare, ui, classify, serve, export, push, doctor, quickstart, worker, runs, workers, cancel",
	],
	[
		"an unknown command",
		["frobnicate"],
		"unknown command 'frobnicate', expected one of train, sweep, evaluate, compare, ui, classify, serve, export, push, doctor, quickstart, worker, runs, workers, cancel",
	],
	["an unknown flag", [...TRAIN, "--frob", "3"], "unknown option '--frob'; see tailtune train --help"],
	[
		"a flag with a typing error",
		[...TRAIN, "--epoch", "3"],
		"unknown option '--epoch' (Did you mean --epochs?); see tailtune train --help",
	],
	["a flag without its value", [...TRAIN, "--lr"], "option '--lr <value>' argument missing"],
	["one word too many", [...TRAIN, "now"], "too many arguments for 'train'. Expected 0 arguments but got 1."],
	["a word instead of a number", [...TRAIN, "--epochs", "two"], '--epochs: found "two", expected a number'],
	["a fraction instead of a whole number", [...TRAIN, "--batch", "1.5"], "--batch: found 1.5, expected a whole number"],
	["a learning rate below 0", [...TRAIN, "--lr", "-1"], "--lr: found -1, expected more than 0"],
	["an infinite learning rate", [...TRAIN, "--lr", "Infinity"], '--lr: found "Infinity", expected a number'],
	["an empty value", ["train", "--data", ""], '--data: found "", expected at least one character'],
	[
		"a word instead of true or false",
		[...TRAIN, "--causal", "maybe"],
		'--causal: found "maybe", expected true or false',
	],
	[
		"a word instead of a way of balancing",
		[...TRAIN, "--balance", "true"],
		"--balance: found true, expected one of undersample, oversample, weights, none, all",
	],
	[
		"label smoothing without a rest",
		[...TRAIN, "--label-smoothing", "1"],
		"--label-smoothing: found 1, expected less than 1",
	],
	[
		"an unknown padding",
		[...TRAIN, "--pad", "some"],
		'--pad: found "some", expected one of bucket, longest, or a number',
	],
	[
		"an unknown way of tuning",
		[...TRAIN, "--trainable", "most"],
		'--trainable: found "most", expected one of head, last-block, last-two-blocks, all, lora, lora-only',
	],
	[
		"two fractions",
		[...TRAIN, "--split", "0.5,0.5"],
		"--split: found [0.5,0.5], expected three fractions that add up to 1",
	],
	[
		"fractions that don't add up",
		[...TRAIN, "--split", "0.5,0.5,0.5"],
		"--split: found [0.5,0.5,0.5], expected three fractions that add up to 1",
	],
	["a wrong flag of the quick start", ["quickstart", "--threads", "two"], '--threads: found "two", expected a number'],
	["no data", ["train"], "--data: required; a file, a folder, hub:OWNER/NAME, sms-spam or spam-assassin"],
	[
		"--train together with --data",
		[...TRAIN, "--train", "texts.tsv"],
		"--data: can't be combined with --train; expected one of them",
	],
	["--train alone", ["train", "--train", "texts.tsv"], "--validation: required with --train; expected a file"],
	[
		"more tokens than the context",
		[...TRAIN, "--max-tokens", "300"],
		"--max-tokens: found 300, expected at most the model's context (256)",
	],
	[
		"more shards than texts per batch",
		[...TRAIN, "--shards", "9"],
		"--shards: found 9, expected at most --batch (8): every shard needs a text",
	],
	[
		"a LoRA rank larger than any layer",
		[...TRAIN, "--trainable", "lora", "--lora-rank", "1000000000"],
		"--lora-rank: found 1000000000, expected at most 384, the width of the widest layer of demo",
	],
	[
		"a batch with more texts than the training set",
		[...TRAIN, "--batch", "29"],
		"--batch: found 29, expected at most the 28 texts for training",
	],
	...["circle", "deep"].map((name): (typeof refused)[number] => [
		`the configuration ${name}.yaml with a list in a list without an end`,
		[...TRAIN, "--config", `${name}.yaml`],
		`--config ${name}.yaml: found more than 128 levels of lists and objects, expected at most 128`,
	]),
	...[TRAIN, SWEEP, ["worker"], ["runs"], ["workers"], ["cancel", "run"], ["ui"], ["serve", "run"]].flatMap((args) =>
		["htp:/x", "tls://x:4222", "nats://x:65536", "nats://x:0", "nats://x,,y", ""].map(
			(urls): (typeof refused)[number] => {
				const found = JSON.stringify(urls === "nats://x,,y" ? "" : urls);
				const expected = "expected nats://HOST:PORT, or several with commas between";
				return [
					`${args[0]} with NATS URLs ${found} in ${urls}`,
					[...args, "--nats", urls],
					`--nats: found ${found}, ${expected}`,
				];
			},
		),
	),
	[
		"credentials in a NATS URL",
		["runs", "--nats", "nats://me:secret@x"],
		"--nats: a URL with credentials, expected them in the environment: TAILTUNE_NATS_*",
	],
	["an address for workers without --nats", [...TRAIN, "--advertise", "here:7070"], "--advertise: needs --nats"],
	...(
		[
			["an address of gRPC", ["serve", "run"], "--listen"],
			["an address of HTTP", ["serve", "run"], "--http"],
			["an address of tensors", ["serve", "run", "--nats", "nats://127.0.0.1:9"], "--tensors"],
			["an address of a run's server", ["train"], "--serve"],
			["an address of a run's page", ["train"], "--dashboard"],
			["an address of a run", [...TRAIN, "--nats", "nats://127.0.0.1:9"], "--listen"],
			["an address of a sweep", [...SWEEP, "--nats", "nats://127.0.0.1:9"], "--listen"],
			["an address of the page of runs", ["ui"], "--listen"],
			["an address of a coordinator", ["worker", "--nats", "nats://127.0.0.1:9"], "--coordinator"],
		] as const
	).flatMap(([title, args, flag]) =>
		["nonsense", "127.0.0.1:65536", "http://127.0.0.1:80", "::1:80"].map((address): (typeof refused)[number] => [
			`${title} in another form: ${address}`,
			[...args, flag, address],
			`${flag}: found "${address}", expected HOST:PORT, for example 127.0.0.1:50051`,
		]),
	),
	[
		"a coordinator without a port in a list",
		["worker", "--nats", "nats://127.0.0.1:9", "--coordinator", "[::1]:7070,b"],
		'--coordinator: found "b", expected HOST:PORT, for example 127.0.0.1:50051',
	],
	[
		"to serve a run to other machines without a token",
		["train", "--serve", "0.0.0.0:50051"],
		"--serve 0.0.0.0:50051: expected an address of this machine only, for example 127.0.0.1:50051; tailtune serve can also have a token and TLS",
	],
	["no trial at once", [...SWEEP, "--at-once", "0"], '--at-once: found "0", expected a whole number of at least 1'],
	[
		"trials at once on the same workers",
		[...SWEEP, "--at-once", "2", "--workers", "2"],
		"--at-once: found 2, expected 1 with --workers",
	],
	[
		"a preset that doesn't exist",
		["sweep", "--preset", "nix"],
		'--preset: found "nix", expected one of book, book-experiments',
	],
	["a sweep without data", ["sweep"], "--data: required; a file, a folder, hub:OWNER/NAME, sms-spam or spam-assassin"],
	[
		"an unknown size of random model",
		["train", "--data", "texts.tsv", "--model", "random:tiny"],
		"--model random:tiny: unknown size, expected random:small|medium|large|xl",
	],
	["an unknown key in --config", ["train", "--config", "typo.yaml"], "typo.yaml: epoch: unknown setting"],
	[
		"a wrong value in --config",
		["train", "--config", "word.yaml"],
		'word.yaml: epochs: found "two", expected a number',
	],
	[
		"a --config without settings",
		["train", "--config", "list.yaml"],
		'--config list.yaml: expected settings as "key: value" lines',
	],
	[
		"a sweep over two data sets",
		["sweep", "--config", "two-sets.yaml", "--model", "demo"],
		"two-sets.yaml: data: found 2 values, expected one for all trials",
	],
	["a wrong value in a list", [...SWEEP, "--lr", "1e-3,fast"], '--lr: found "fast", expected a number'],
	[
		"a wrong value in a list of --config",
		["sweep", "--config", "sweep.yaml"],
		'sweep.yaml: epochs: found "two", expected a number',
	],
	[
		"a number of seeds that isn't whole",
		[...SWEEP, "--seeds", "1.5"],
		'--seeds: found "1.5", expected a whole number of at least 1',
	],
	[
		"a sweep of more trials than can be compared",
		[...SWEEP, "--seeds", "501", "--lr", "1e-3,1e-4"],
		"found 2 combinations of values and 1002 trials with all seeds and folds, expected at most 100000 and 1000",
	],
	[
		"a fold that isn't one of the parts",
		[...TRAIN, "--fold", "6/5"],
		'--fold: found "6/5", expected K/N, for example 2/5, with N from 3 to 100 and K from 1 to N',
	],
	["two folds", [...SWEEP, "--folds", "2"], '--folds: found "2", expected a whole number from 3 to 100'],
	[
		"folds of texts that are already split",
		["sweep", "--train", "texts.tsv", "--folds", "3"],
		"--folds: can't be combined with --train",
	],
	[
		"successive halving of a sweep with one setting",
		[...SWEEP, "--seeds", "5", "--halving"],
		"--halving: needs at least 2 epochs and 2 settings; found 5 and 1",
	],
	[
		"successive halving of runs of different lengths",
		[...SWEEP, "--epochs", "2,4", "--halving"],
		"--halving: can't be combined with several values of --epochs",
	],
	[
		"successive halving that keeps all settings",
		[...SWEEP, "--lr", "1e-3,1e-4", "--halving", "1"],
		'--halving: found "1", expected a whole number from 2 to 100000',
	],
	[
		"settings for a sweep that is resumed",
		["sweep", "--resume", "out", "--seeds", "3"],
		"--resume: can't be combined with --seeds; a resumed sweep keeps its settings",
	],
	["classify without texts", ["classify", "run"], "texts: found none, expected texts, - or --file FILE"],
	[
		"an unknown export format",
		["export", "run", "--format", "pt", "--out", "out"],
		"option '--format <format>' argument 'pt' is invalid. Allowed choices are hf, onnx, safetensors.",
	],
	[
		"export without an output folder",
		["export", "run", "--format", "hf"],
		"required option '--out <folder>' not specified",
	],
	[
		"to push to a name without its owner",
		["push", "run", "spam"],
		'push: found "spam", expected OWNER/NAME, a repository of the hub',
	],
	[
		"an MLflow server without http",
		[...TRAIN, "--mlflow", "sqlite:///runs.db"],
		"--mlflow sqlite:///runs.db: expected an address, for example http://127.0.0.1:5000",
	],
	[
		"an MLflow server with a password in its address",
		[...TRAIN, "--mlflow", "http://ann:secret@127.0.0.1:5000"],
		"--mlflow: an address with a password, expected it in MLFLOW_TRACKING_PASSWORD",
	],
	["evaluate without data", ["evaluate", "run"], "--data: required; labelled texts"],
];

for (const [title, args, message] of refused) {
	test.serial(`refuses ${title}`, (t) => assertRefused(t, folder, args, { exitCode: 2, message }));
}

test.serial("refuses an address to which workers can't connect", (t) =>
	assertRefused(t, folder, [...TRAIN, "--nats", "nats://127.0.0.1:9", "--shards", "1", "--advertise", "here"], {
		exitCode: 2,
		message: "--advertise here: expected an address or name of this host to which workers can connect, as HOST:PORT",
	}),
);

test.serial("refuses a --config that isn't YAML, and names the line", (t) =>
	assertRefused(t, folder, ["train", "--config", "broken.yaml"], {
		exitCode: 2,
		message: /^tailtune: --config broken\.yaml: .* at line \d+, column \d+$/,
	}),
);

test.serial(
	"refuses a file as the folder for TensorBoard, and makes no folder for a run that is refused",
	async (t) => {
		const message = "--tensorboard texts.tsv: can't be written: a file has that name";
		await assertRefused(t, folder, [...TRAIN, "--tensorboard", "texts.tsv"], { exitCode: 1, message });
		const missing = ["train", "--data", "none.tsv", "--tensorboard", "all/curves"];
		await assertRefused(t, folder, missing, { exitCode: 1, message: "none.tsv: no such file or folder" });
		const sweep = ["sweep", "--data", "none.tsv", "--model", "demo", "--tensorboard", "all/curves"];
		await assertRefused(t, folder, sweep, { exitCode: 1, message: `${folder}/none.tsv: no such file or folder` });
	},
);

test.serial("refuses a missing --config", (t) =>
	assertRefused(t, folder, ["train", "--config", "none.yaml"], {
		exitCode: 1,
		message: "none.yaml: no such file or folder",
	}),
);

for (const [code, exitCode, args] of [
	["usage", 2, ["train", "--frob", "3", "--json"]],
	["not-found", 1, ["--json", "train", "--data", "none.tsv"]],
] as const) {
	test.serial(`with --json an error is one JSON object on stderr, with code ${code}`, async (t) => {
		const ended = await start(args, {}, folder);
		const { error, ...rest } = JSON.parse(String(ended.stderr));
		t.deepEqual(rest, {});
		t.deepEqual(Object.keys(error), ["code", "message"]);
		t.is(error.code, code);
		t.regex(error.message, /--frob|none\.tsv/);
		t.is(ended.exitCode, exitCode);
		t.is(String(ended.stdout), "");
	});
}
