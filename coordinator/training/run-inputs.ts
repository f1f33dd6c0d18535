import { TailtuneError } from "../../shared/errors.ts";
import type { TailSpec } from "../../shared/messages.ts";
import type { Gpt2Config } from "../../shared/model/gpt2-config.ts";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import { TRAINABLE_BY_NAME } from "../../shared/model/tail-spec.ts";
import { innerWidth } from "../../shared/model/variant.ts";
import { endOnSignals } from "../../shared/processes/interrupt.ts";
import type { RunConfig, TrainConfig } from "../../shared/settings/config.ts";
import { checkConfig, flagOf } from "../../shared/settings/resolve-config.ts";
import { loadModel } from "../base-model/load-model.ts";
import { checkModelName } from "../base-model/resolve-model.ts";
import { abstainsAnyway } from "../classify/classifier-settings.ts";
import { assertLabelsKnown } from "../classify/with-thresholds.ts";
import { type LoadedSets, loadSets } from "../data/load-sets.ts";
import { defaultMetric } from "../metrics/best-score.ts";
import { assertWarmupFits } from "./learning-rate.ts";
import { runLoss } from "./run-loss.ts";
import { prepareTexts, type RunTexts } from "./run-texts.ts";
import type { TrainOptions } from "./train-options.ts";
import { countRunSteps } from "./trainer.ts";

/** Settings, model and texts of a run. */
export interface RunInputs {
	readonly config: RunConfig;
	readonly model: ModelFiles;
	readonly texts: RunTexts;
	readonly tail: TailSpec;
	/** Identifies model, tokenizer, texts and settings. A checkpoint can't be used with others. */
	readonly fingerprint: string;
}

type InputOptions = Pick<TrainOptions, "countWorkers" | "events" | "interrupt" | "onTexts">;

/**
 * Loads the inputs of a run. A wrong name of a model is reported first. Texts are read before the model, so that faults
 * in them are reported before a model is downloaded.
 * @throws TailtuneError if settings, texts or model can't be used, "interrupted" if the user stops the run
 */
export async function loadInputs(given: TrainConfig, options: InputOptions): Promise<RunInputs> {
	await checkModelName(given.model);
	const sets = await endOnSignals(() => loadSets(given, options.events));
	await options.onTexts?.(sets.hash);
	const { model, tokenizer, resolvedName } = await loadModel(given, options);
	const config = await fixDefaults(given, sets, options);
	const texts = await endOnSignals(async () => prepareTexts(config, sets, model.config, tokenizer));
	assertWarmupFits(config.warmup, config.epochs * countRunSteps({ config, texts }));
	const tail = tailSpecOf(config, texts);
	assertRankFits(config, model.config);
	assertClassesFit(texts.classes, config.model, model.config.n_embd);
	const saved = { ...config, ...sets.names, model: resolvedName };
	const fingerprint = `${await model.hash()} ${tokenizer.hash} ${texts.hash} ${JSON.stringify(saved)}`;
	// The user may have stopped the run meanwhile, for example while the workers were counted.
	if (options.interrupt.aborted) throw new TailtuneError("interrupted", "stopped before the run began");
	return { config: saved, model, texts, tail, fingerprint };
}

/** Settles the settings that must not change later, when workers join and leave. */
async function fixDefaults(
	config: TrainConfig,
	{ classes, train }: LoadedSets,
	{ countWorkers = async () => 1 }: InputOptions,
): Promise<RunConfig> {
	const shards = config.shards ?? Math.min(await countWorkers(), config.batch);
	if (config.multiLabel && config.metric === "mcc")
		throw new TailtuneError("usage", "--metric: found mcc, expected another score with --multi-label");
	if (config.multiLabel && config.abstain) throw abstainsAnyway();
	assertLabelsKnown(config.threshold, train.labels);
	const usual = config.multiLabel ? "macro-f1" : defaultMetric(classes.map(({ validation }) => validation));
	const metric = config.metric ?? usual;
	return { ...checkConfig({ ...config, shards, metric }, flagOf), shards, metric };
}

function tailSpecOf(config: TrainConfig, texts: RunTexts): TailSpec {
	const { trainable, causal, loraRank, loraAlpha } = config;
	const loraScale = trainable === "lora-only" ? loraAlpha / loraRank : loraAlpha;
	const shape = { trainable: TRAINABLE_BY_NAME[trainable], classes: texts.classes, causal };
	return { ...shape, loraRank, loraScale, loss: runLoss(config, texts) };
}

/** A matrix's rank is at most its width. */
function assertRankFits({ trainable, loraRank, model }: TrainConfig, shape: Gpt2Config): void {
	const widest = Math.max(shape.n_embd, innerWidth(shape));
	if (!trainable.startsWith("lora") || loraRank <= widest) return;
	const expected = `expected at most ${widest}, the width of the widest layer of ${model}`;
	throw new TailtuneError("usage", `--lora-rank: found ${loraRank}, ${expected}`);
}

function assertClassesFit(classes: number, model: string, width: number): void {
	if (classes <= width) return;
	const found = `found ${classes} labels, expected at most ${width}, the width of ${model}`;
	throw new TailtuneError("data", `${found}: no Hugging Face head could hold them`);
}
