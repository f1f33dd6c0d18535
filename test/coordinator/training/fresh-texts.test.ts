import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { Classifier } from "../../../coordinator/classify/classifier.ts";
import { evaluateClassifier } from "../../../coordinator/classify/evaluate-classifier.ts";
import type { OpenCluster } from "../../../coordinator/cluster/cluster.ts";
import { openEmbeddedCluster } from "../../../coordinator/cluster/embedded-cluster.ts";
import { toDataset } from "../../../coordinator/data/dataset.ts";
import { RunEvents } from "../../../coordinator/events/run-events.ts";
import { readTestDetails } from "../../../coordinator/run-folder/test-details.ts";
import { train } from "../../../coordinator/training/train.ts";
import type { TrainConfig } from "../../../shared/settings/config.ts";
import { resolveConfig } from "../../../shared/settings/resolve-config.ts";
import { startWorker } from "../../../worker/run/lifecycle.ts";
import { newFolder } from "../../new-folder.ts";

const workerSide = { startWorker, inspectEngines: async () => [], addWorkerCommand: () => {} };
const openCluster: OpenCluster = (run) => openEmbeddedCluster(workerSide, run);

const SPAM_SHARE = 0.1;
/** Texts with the words of the other class, which no model can get right. */
const WRONG_SHARE = 0.06;
const WORDS = {
	spam: ["prize", "cash", "winner", "claim", "urgent", "free", "call", "offer"],
	ham: ["dinner", "meeting", "later", "home", "thanks", "tomorrow", "lunch", "work"],
};

/** Makes texts of two classes, one of which is rare. Different seeds give different texts with the same shares. */
function makeTexts(count: number, seed: number) {
	const random = xoroshiro128plus(seed);
	const draw = () => uniformFloat64(random);
	return Array.from({ length: count }, (_, line) => {
		const label = draw() < SPAM_SHARE ? "spam" : "ham";
		const words = WORDS[(label === "spam") === draw() < WRONG_SHARE ? "ham" : "spam"];
		const text = Array.from({ length: 6 }, () => words[Math.floor(draw() * words.length)]).join(" ");
		return { label, text, source: `texts:${line + 1}` };
	});
}

/** The texts predicted as spam, and how many of them are spam. */
function countSpam(labels: readonly string[], confusion: readonly (readonly number[])[]) {
	const spam = labels.indexOf("spam");
	const predicted = confusion.reduce((sum, row) => sum + (row[spam] ?? 0), 0);
	return { hits: confusion[spam]?.[spam] ?? 0, predicted };
}

/**
 * Trains on texts, and returns how many standard errors its test precision is above that on fresh texts.
 * @param inspect called with the trained model and the folder of the run
 */
async function precisionGap(
	balance: TrainConfig["balance"],
	inspect: (classifier: Classifier, folder: string) => Promise<void> = async () => {},
): Promise<number> {
	const folder = await newFolder();
	const data = join(folder, "texts.tsv");
	await writeFile(
		data,
		makeTexts(1600, 1)
			.map(({ label, text }) => `${label}\t${text}\n`)
			.join(""),
	);
	const out = join(folder, "run");
	const split: TrainConfig["split"] = [0.3, 0.1, 0.6];
	const given = { data, out, split, balance, model: "demo", epochs: 3, lr: 1e-3, threads: 1, featureCache: 0 };
	const events = new RunEvents();
	const { result } = await train(await resolveConfig(given), {
		openCluster,
		events,
		interrupt: new AbortController().signal,
	});
	const classifier = await Classifier.open(out, { engine: "auto", backend: "auto", threads: 1 }, { openCluster });
	try {
		await inspect(classifier, out);
		const fresh = await evaluateClassifier(classifier, toDataset(makeTexts(4000, 2)), events);
		const [own, others] = [countSpam(result.labels, result.confusion), countSpam(fresh.labels, fresh.confusion)];
		const pooled = (own.hits + others.hits) / (own.predicted + others.predicted);
		const error = Math.sqrt(pooled * (1 - pooled) * (1 / own.predicted + 1 / others.predicted));
		return (own.hits / own.predicted - others.hits / others.predicted) / error;
	} finally {
		await classifier.close();
	}
}

/** Checks that the words that mattered in a run change the probability when its model classifies the texts without them. */
async function checkExplanations(t: ExecutionContext, classifier: Classifier, folder: string): Promise<void> {
	const { mistakes = [], uncertain = [] } = (await readTestDetails(folder)) ?? {};
	const explained = [...mistakes, ...uncertain].filter(({ pieces }) =>
		pieces.some(({ change }) => change !== undefined),
	);
	t.true(explained.length >= 20, "the worst mistakes and the most uncertain texts are explained");
	for (const { pieces, about, probability } of explained) {
		const classify = async (kept: typeof pieces) => {
			const text = kept.map((piece) => piece.text).join("");
			const [answer] = await classifier.classify([{ text: text.replaceAll(/ +/g, " ").trim(), source: "text" }]);
			return answer?.probabilities[classifier.settings.labels.indexOf(about)] ?? 0;
		};
		t.true(Math.abs((await classify(pieces)) - probability) < 1e-4);
		const [word] = pieces.toSorted((a, b) => (a.change ?? 0) - (b.change ?? 0));
		const without = await classify(pieces.filter((piece) => piece !== word));
		t.true(Math.abs(without - probability - (word?.change ?? 0)) < 1e-4);
		t.true(without < probability, "without the most important word the probability is lower");
	}
}

test.serial(
	"the precision of a run is that on fresh texts, and without the words that mattered labels are less probable: weights",
	async (t) => {
		const gap = await precisionGap("weights", (classifier, folder) => checkExplanations(t, classifier, folder));
		t.log(`${gap.toFixed(2)} standard errors`);
		t.true(Math.abs(gap) < 3);
	},
);

test.serial("the precision of a run is that on fresh texts with the same shares: --balance undersample", async (t) => {
	const gap = await precisionGap("undersample");
	t.log(`${gap.toFixed(2)} standard errors`);
	t.true(Math.abs(gap) < 3);
});

test.serial("it is higher than that if the test set is balanced too: --balance all", async (t) => {
	const gap = await precisionGap("all");
	t.log(`${gap.toFixed(2)} standard errors`);
	t.true(gap > 4);
});
