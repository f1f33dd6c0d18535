import { text } from "node:stream/consumers";
import type { Command } from "commander";
import { addConfigFlags, ENGINE_SETTINGS, parseFlags } from "../../shared/cli/flags.ts";
import { resolveConfig } from "../../shared/cli/resolve-config.ts";
import type { WorkerSide } from "../../shared/embedded-worker.ts";
import { TailtuneError } from "../../shared/errors.ts";
import { type Answer, Classifier } from "../classify/classifier.ts";
import { openEmbeddedCluster } from "../run/embedded-cluster.ts";
import type { Classification } from "../terminal/classification-lines.ts";
import { createTerminal } from "../terminal/terminal.ts";

interface Options extends Record<string, unknown> {
	readonly file?: string;
	readonly json?: boolean;
}

/** `tailtune classify`: what a tuned model says of texts given as arguments, on standard input or in a file. */
export function addClassifyCommand(program: Command, workerSide: WorkerSide): void {
	const command = program
		.command("classify")
		.description("classify texts with the model of a run")
		.argument("<run>", "result folder of a run")
		.argument("[texts...]", "texts, or - for a text a line on standard input")
		.option("--file <file>", "texts of a file (.txt .csv .tsv .jsonl)");
	addConfigFlags(command, [...ENGINE_SETTINGS, "trunkPrecision", "textColumn"]).action(
		async (run: string, words: string[], _options: object, { optsWithGlobals }: Command) => {
			const options = optsWithGlobals.call(command) as Options;
			const config = await resolveConfig(parseFlags(options));
			const texts = await gatherTexts(words, options.file, config.textColumn);
			const classifier = await Classifier.open(run, config, {
				openCluster: (of) => openEmbeddedCluster(workerSide, of),
			});
			try {
				const answers = await classifier.classify(texts);
				createTerminal(options).classifications(toClassifications(texts, answers, classifier.settings.labels));
			} finally {
				await classifier.close();
			}
		},
	);
}

/** Answers with the names of the labels. */
export function toClassifications(
	texts: readonly string[],
	answers: readonly Answer[],
	labels: readonly string[],
): Classification[] {
	return answers.map(({ label, probabilities, tokens, truncated }, i) => ({
		text: texts[i] ?? "",
		label: labels[label] ?? "",
		probability: probabilities[label] ?? 0,
		probabilities: Object.fromEntries(labels.map((name, of) => [name, probabilities[of] ?? 0])),
		tokens,
		truncated,
	}));
}

async function gatherTexts(words: readonly string[], file: string | undefined, textColumn: string): Promise<string[]> {
	const fromFile = file === undefined ? [] : await readTextsOf(file, textColumn);
	const fromInput = words.includes("-") ? (await text(process.stdin)).split(/\r?\n/).filter((line) => line !== "") : [];
	const texts = [...words.filter((word) => word !== "-"), ...fromInput, ...fromFile];
	if (texts.length === 0) throw new TailtuneError("usage", "texts: none given; expected texts, - or --file FILE");
	const empty = texts.findIndex((of) => of.trim() === "");
	if (empty >= 0) throw new TailtuneError("data", `text ${empty + 1}: empty; expected at least one character`);
	return texts;
}

/** What reads files is loaded for one alone: a text given as an argument is answered sooner. */
async function readTextsOf(file: string, textColumn: string): Promise<string[]> {
	const { readTexts } = await import("../../shared/data/read-texts.ts");
	return readTexts(file, { textColumn });
}
