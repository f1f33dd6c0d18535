import type { Command } from "commander";
import { TailtuneError } from "../../shared/errors.ts";
import { createInterruptSignal } from "../../shared/processes/interrupt.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";
import { addConfigFlags, ENGINE_SETTINGS, parseFlags } from "../../shared/settings/flags.ts";
import { resolveConfig } from "../../shared/settings/resolve-config.ts";
import type { WorkerSide } from "../../shared/worker-port/worker-side.ts";
import type { TextAnswer } from "../classify/classifier.ts";
import type { OpenCluster } from "../cluster/cluster.ts";
import type { TrainOptions } from "../training/train-options.ts";
import { showEvents } from "./show-events.ts";

/** Two messages to classify, for each data set. */
const MESSAGES: Readonly<Record<string, readonly string[]>> = {
	"sms-spam": [
		"Congratulations! You have won a £1,000 prize. Call 09061701461 now to claim your free reward",
		"Are we still on for lunch tomorrow? I can pick you up at noon",
	],
	"spam-assassin": [
		"Get your FREE quote! Save up to 70% on life insurance today. Click here, no obligation",
		"Re: kernel build fails On Tuesday Ann wrote: > make stops with an error > Same here, the old headers were the cause",
	],
};

/** `tailtune quickstart`: tunes and tries a spam filter with default settings, online or offline. */
export function addQuickstartCommand(program: Command, workerSide: WorkerSide): void {
	const quickstart = program
		.command("quickstart")
		.description(
			"train a spam filter and try it on two messages; without a network it uses the bundled model and data",
		);
	addConfigFlags(quickstart, ENGINE_SETTINGS).action(async (options: Record<string, unknown>, command: Command) => {
		const events = showEvents(command.optsWithGlobals());
		const flags = parseFlags(options);
		await resolveConfig(flags); // refuses wrong flags before the downloads
		const [{ openEmbeddedCluster }, { train }] = await Promise.all([
			import("../cluster/embedded-cluster.ts"),
			import("../training/train.ts"),
		]);
		const openCluster: OpenCluster = (run) => openEmbeddedCluster(workerSide, run);
		const environment = { openCluster, events, interrupt: createInterruptSignal() };
		const config = await resolveConfig({ ...(await chooseInputs(environment)), ...flags });
		const { folder, result } = await train(config, environment);
		events.emit({ event: "result", folder, ...result });
		await classifyMessages(folder, config, environment);
	});
}

/**
 * Downloads the SMS Spam Collection and GPT-2; without a network chooses the model and data that `npm ci` installed.
 */
async function chooseInputs({ events, interrupt }: TrainOptions): Promise<Partial<TrainConfig>> {
	const [{ loadDataset }, { resolveModel }] = await Promise.all([
		import("../data/load-dataset.ts"),
		import("../base-model/resolve-model.ts"),
	]);
	// With fewer texts a first run takes less time.
	const balance = "undersample";
	const online = { data: "sms-spam", model: "openai-community/gpt2", balance } as const;
	try {
		await loadDataset(online.data, {}, events);
		await resolveModel(online.model, { listener: events, signal: interrupt });
		return online;
	} catch (error) {
		if (!(error instanceof TailtuneError) || error.code !== "offline") throw error;
		events.line("No network: using the bundled demo model and SpamAssassin e-mails.");
		return { data: "spam-assassin", model: "demo", long: "cut", lr: 1e-3, balance };
	}
}

async function classifyMessages(folder: string, config: TrainConfig, environment: TrainOptions): Promise<void> {
	const [{ Classifier }, { toClassification }] = await Promise.all([
		import("../classify/classifier.ts"),
		import("../classify/to-classification.ts"),
	]);
	const classifier = await Classifier.open(folder, config, environment);
	const messages = (MESSAGES[config.data ?? ""] ?? []).map((text, index) => ({ text, source: `message ${index + 1}` }));
	try {
		const answers = await classifier.classify(messages);
		environment.events.line("");
		const { labels } = classifier.settings;
		const results = messages.map((text, i) => toClassification(text, answers[i] as TextAnswer, labels));
		environment.events.emit({ event: "classifications", results });
	} finally {
		await classifier.close();
	}
}
