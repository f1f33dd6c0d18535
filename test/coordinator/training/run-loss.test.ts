import test from "ava";
import { loadSets } from "../../../coordinator/data/load-sets.ts";
import { RunEvents } from "../../../coordinator/events/run-events.ts";
import { runLoss } from "../../../coordinator/training/run-loss.ts";
import { prepareTexts } from "../../../coordinator/training/run-texts.ts";
import { planRunEpoch } from "../../../coordinator/training/trainer.ts";
import { resolveConfig } from "../../../shared/settings/resolve-config.ts";
import { gpt2 } from "../../gpt2-tokenizer.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { classTexts } from "../run-folder/class-texts.ts";

const model = { n_layer: 1, n_embd: 8, n_head: 1, n_positions: 64, vocab_size: 50257, layer_norm_epsilon: 1e-5 };

test("with --balance weights all texts are used, and each step is divided by the weights of its labels", async (t) => {
	const line = (label: string) => (_: unknown, index: number) => `${label}\t${label} number ${index}`;
	const lines = [Array.from({ length: 10 }, line("fraud")), Array.from({ length: 110 }, line("ok"))].flat();
	const folder = await temporaryFolder(t, { "texts.tsv": lines.join("\n") });
	const settings = { data: `${folder}/texts.tsv`, balance: "weights", shards: 2, batch: 12, accumulate: 3 };
	const config = { ...(await resolveConfig(settings)), shards: 2, metric: "loss" as const };
	const texts = await prepareTexts(config, await loadSets(config, new RunEvents()), model, gpt2);
	t.deepEqual(
		texts.classTexts.map(({ train }) => train),
		[7, 77],
	);

	// sklearn.utils.class_weight.compute_class_weight("balanced", classes=[0, 1], y=[0] * 7 + [1] * 77)
	const loss = runLoss(config, texts);
	t.deepEqual(loss, { multiLabel: false, labelSmoothing: 0, classWeights: [6, 0.5454545454545454] });

	const tail = { trainable: "TRAINABLE_HEAD", classes: 2, causal: true, loraRank: 0, loraScale: 0, loss } as const;
	const weightOf = (id: number) => (texts.labelOf(id) === 0 ? 6 : 84 / 154);
	const steps = planRunEpoch({ config, texts, tail }, 0);
	t.deepEqual(
		steps.map(({ parts }) => parts.length),
		[6, 6, 2],
	);
	for (const { parts } of steps) {
		const total = parts.flatMap(({ examples }) => examples).reduce((sum, id) => sum + weightOf(id), 0);
		for (const { examples, weight } of parts)
			t.true(Math.abs(weight - (examples.length / total) * (parts.length / 6)) < 1e-12);
	}
});

test("with several labels, --balance weights gives the weights of torch's pos_weight, and steps are divided by texts", async (t) => {
	const line = (_: unknown, index: number) =>
		`${["all", index % 4 === 0 && "rare"].filter(Boolean).join("|")}\ttext number ${index}`;
	const folder = await temporaryFolder(t, { "texts.tsv": Array.from({ length: 120 }, line).join("\n") });
	const settings = { data: `${folder}/texts.tsv`, multiLabel: true, balance: "weights", shards: 2, batch: 12 };
	const config = { ...(await resolveConfig(settings)), shards: 2, metric: "loss" as const };
	const texts = await prepareTexts(config, await loadSets(config, new RunEvents()), model, gpt2);
	const loss = runLoss(config, texts);
	const [, rare = 0] = texts.classTexts.map(({ train }) => train);
	t.deepEqual(loss?.classWeights, [1, (texts.train.length - rare) / rare]);
	const tail = { trainable: "TRAINABLE_HEAD", classes: 2, causal: true, loraRank: 0, loraScale: 0, loss } as const;
	for (const { parts } of planRunEpoch({ config, texts, tail }, 0))
		t.deepEqual(
			parts.map(({ weight }) => weight),
			[0.5, 0.5],
		);
});

test("a run without smoothing has the plain loss if all classes have equally many texts", async (t) => {
	const texts = {
		classTexts: [classTexts("ham", 100), classTexts("spam", 100)],
		train: Array.from({ length: 196 }, (_, id) => id),
	};
	t.is(runLoss(await resolveConfig({}), texts), null);
	const loss = { multiLabel: false, labelSmoothing: 0.1, classWeights: [] };
	t.deepEqual(runLoss(await resolveConfig({ labelSmoothing: 0.1 }), texts), loss);
});
