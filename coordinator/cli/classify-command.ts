import type { Command } from "commander";
import { createInterruptSignal } from "../../shared/processes/interrupt.ts";
import { addConfigFlags, ENGINE_SETTINGS, parseFlags } from "../../shared/settings/flags.ts";
import { resolveConfig } from "../../shared/settings/resolve-config.ts";
import type { WorkerSide } from "../../shared/worker-port/worker-side.ts";
import { showEvents } from "./show-events.ts";

interface Options extends Record<string, unknown> {
	readonly file?: string;
	readonly out?: string;
	readonly skipBad?: boolean;
	readonly json?: boolean;
}

/** Loads the modules that only this command needs. */
async function loadModules() {
	const modules = await Promise.all([
		import("../classify/table-source.ts"),
		import("../table/check-output.ts"),
		import("../classify/classify-table.ts"),
		import("../classify/classifier.ts"),
		import("../cluster/embedded-cluster.ts"),
	]);
	const [source, output, table, classifier, cluster] = modules;
	return { ...source, ...output, ...table, ...classifier, ...cluster };
}

/** `tailtune classify`: predicts the labels of texts given as arguments, on standard input or in a file. */
export function addClassifyCommand(program: Command, workerSide: WorkerSide): void {
	const command = program
		.command("classify")
		.description("classify texts with the model of a run")
		.argument("<run>", "result folder of a run")
		.argument("[texts...]", "texts to classify; - reads one text per line from standard input")
		.option("--file <file>", "classify the texts of a file (.txt .csv .tsv .jsonl .json .parquet, each also with .gz)")
		.option("--out <file>", "write a table (.csv .jsonl): all columns of the input, and the predictions")
		.option(
			"--skip-bad",
			"leave the predictions of unusable rows blank and list these rows; default: stop at the first",
		);
	const settings = [
		"trunkPrecision",
		"textColumn",
		"encoding",
		"delimiter",
		"maxTokens",
		"long",
		"abstain",
		"threshold",
	] as const;
	addConfigFlags(command, [...ENGINE_SETTINGS, ...settings]).action(
		async (run: string, words: string[], _options: object, { optsWithGlobals }: Command) =>
			classify(run, words, optsWithGlobals.call(command), workerSide),
	);
}

async function classify(run: string, words: readonly string[], options: Options, side: WorkerSide): Promise<void> {
	const config = await resolveConfig(parseFlags(options));
	const { chooseSource, checkOutput, classifyTable, printClassifications, Classifier, openEmbeddedCluster } =
		await loadModules();
	const { file, out, skipBad = false } = options;
	const source = chooseSource(words, file, config);
	if (out !== undefined) await checkOutput(out, file);
	const interrupt = createInterruptSignal();
	const events = showEvents(options);
	const classifier = await Classifier.open(run, config, { openCluster: (of) => openEmbeddedCluster(side, of) });
	try {
		const rows = { textColumn: config.textColumn, skipBad, interrupt };
		const summary =
			out === undefined
				? await printClassifications(classifier, source, rows, events)
				: await classifyTable(classifier, source, out, rows, events);
		events.emit({ event: "classified", out: out ?? null, maxTokens: classifier.limit.tokens, ...summary });
	} finally {
		await classifier.close();
	}
}
