import { join } from "node:path";
import type { Command } from "commander";
import { TailtuneError } from "../../shared/errors.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";
import { addConfigFlags, ENGINE_SETTINGS, parseFlags } from "../../shared/settings/flags.ts";
import { resolveConfig } from "../../shared/settings/resolve-config.ts";
import type { WorkerSide } from "../../shared/worker-port/worker-side.ts";
import { showEvents } from "./show-events.ts";

interface Options extends Record<string, unknown> {
	readonly out?: string;
	readonly json?: boolean;
}

const EVALUATE_FLAGS = [
	"data",
	"textColumn",
	"labelColumn",
	"encoding",
	"delimiter",
	"maxTokens",
	"long",
	"threshold",
	...ENGINE_SETTINGS,
	"trunkPrecision",
] as const satisfies (keyof TrainConfig)[];

/** Loads the modules that only this command needs. */
async function loadModules() {
	const modules = await Promise.all([
		import("../classify/classifier.ts"),
		import("../classify/classifier-settings.ts"),
		import("../classify/evaluate-classifier.ts"),
		import("../cluster/embedded-cluster.ts"),
		import("../data/load-dataset.ts"),
		import("../table/check-output.ts"),
		import("../classify/write-evaluation.ts"),
	]);
	const [classifier, settings, evaluation, cluster, dataset, output, table] = modules;
	return { ...classifier, ...settings, ...evaluation, ...cluster, ...dataset, ...output, ...table };
}

/** `tailtune evaluate`: measures loss, accuracy and confusion matrix of a tuned model on labelled texts. */
export function addEvaluateCommand(program: Command, workerSide: WorkerSide): void {
	const command = program
		.command("evaluate")
		.description("measure the model of a run on labelled texts")
		.argument("<run>", "result folder of a run")
		.option("--out <file>", "write a table (.csv .jsonl): prediction for each text, and whether it is correct");
	addConfigFlags(command, EVALUATE_FLAGS).action(
		async (run: string, _options: object, { optsWithGlobals }: Command) => {
			const options: Options = optsWithGlobals.call(command);
			const config = await resolveConfig(parseFlags(options));
			if (config.data === undefined) throw new TailtuneError("usage", "--data: required; labelled texts");
			const events = showEvents(options);
			const { Classifier, readClassifierSettings, evaluateClassifier, openEmbeddedCluster, ...of } =
				await loadModules();
			const { loadDataset, checkOutput, writeEvaluation } = of;
			const { out } = options;
			if (out !== undefined) await checkOutput(out, config.data);
			const { multiLabel } = await readClassifierSettings(join(run, "model"));
			const columns = { ...config, multiLabel, say: (line: string) => events.line(line) };
			const dataset = await loadDataset(config.data, columns, events);
			const classifier = await Classifier.open(run, config, {
				openCluster: (of) => openEmbeddedCluster(workerSide, of),
				// A table of right and wrong predictions needs one for each text, as the scores do.
				alwaysLabel: true,
			});
			try {
				const evaluation = await evaluateClassifier(classifier, dataset, events, async (examples, answers) => {
					if (out !== undefined) await writeEvaluation(out, classifier.settings.labels, examples, answers);
				});
				events.emit({ event: "evaluation", ...evaluation });
			} finally {
				await classifier.close();
			}
		},
	);
}
