import type { Command } from "commander";
import { TailtuneError } from "../../shared/errors.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";
import { addConfigFlags, ENGINE_SETTINGS, parseFlags } from "../../shared/settings/flags.ts";
import { resolveConfig } from "../../shared/settings/resolve-config.ts";
import type { WorkerSide } from "../../shared/worker-port/worker-side.ts";
import type { TextAnswer } from "../classify/classifier.ts";
import type { SourcedText } from "../data/dataset.ts";
import type { Classification } from "../events/schemas.ts";
import { nameProbabilities } from "../metrics/probabilities.ts";
import { showEvents } from "./show-events.ts";

interface Options extends Record<string, unknown> {
	readonly file?: string;
	readonly json?: boolean;
}

/** `tailtune classify`: predicts the labels of texts given as arguments, on standard input or in a file. */
export function addClassifyCommand(program: Command, workerSide: WorkerSide): void {
	const command = program
		.command("classify")
		.description("classify texts with the model of a run")
		.argument("<run>", "result folder of a run")
		.argument("[texts...]", "texts to classify; - reads one text per line from standard input")
		.option("--file <file>", "classify the texts of a file (.txt .csv .tsv .jsonl .json .parquet, each also with .gz)");
	addConfigFlags(command, [
		...ENGINE_SETTINGS,
		"trunkPrecision",
		"textColumn",
		"encoding",
		"delimiter",
		"maxTokens",
	]).action(async (run: string, words: string[], _options: object, { optsWithGlobals }: Command) => {
		const options = optsWithGlobals.call(command) as Options;
		const config = await resolveConfig(parseFlags(options));
		const texts = await gatherTexts(words, options.file, config);
		const [{ Classifier }, { openEmbeddedCluster }] = await Promise.all([
			import("../classify/classifier.ts"),
			import("../cluster/embedded-cluster.ts"),
		]);
		const classifier = await Classifier.open(run, config, {
			openCluster: (of) => openEmbeddedCluster(workerSide, of),
		});
		try {
			const answers = await classifier.classify(texts);
			const results = toClassifications(texts, answers, classifier.settings.labels);
			showEvents(options).emit({ event: "classifications", results });
		} finally {
			await classifier.close();
		}
	});
}

/** Converts answers to classifications, which name the labels. */
export function toClassifications(
	texts: readonly SourcedText[],
	answers: readonly TextAnswer[],
	labels: readonly string[],
): Classification[] {
	return answers.map(({ label, probabilities, tokens, truncated }, i) => ({
		text: texts[i]?.text ?? "",
		source: texts[i]?.source ?? "",
		label: labels[label] ?? "",
		probability: probabilities[label] ?? 0,
		probabilities: nameProbabilities(labels, probabilities),
		tokens,
		truncated,
	}));
}

async function gatherTexts(
	words: readonly string[],
	file: string | undefined,
	columns: TrainConfig,
): Promise<SourcedText[]> {
	const texts = [
		...words.filter((word) => word !== "-").map((word, index) => ({ text: word, source: `text ${index + 1}` })),
		...(words.includes("-") ? await readInput() : []),
		...(file === undefined ? [] : await readTextsOf(file, columns)),
	];
	if (texts.length === 0) throw new TailtuneError("usage", "texts: found none, expected texts, - or --file FILE");
	const empty = texts.find(({ text }) => text.trim() === "");
	if (empty) throw new TailtuneError("data", `${empty.source}: empty; expected at least one character`);
	return texts;
}

/** Reads one text per line from standard input; blank lines are ignored. */
async function readInput(): Promise<SourcedText[]> {
	const { readInputTexts } = await import("../data/read-texts.ts");
	return readInputTexts();
}

/** Reads the texts of a file. Its modules are loaded here, so that texts given as arguments are classified sooner. */
async function readTextsOf(file: string, columns: TrainConfig): Promise<SourcedText[]> {
	const { readTexts } = await import("../data/read-texts.ts");
	return readTexts(file, columns);
}
