import { TailtuneError } from "../../shared/errors.ts";
import { MOST_TEXT_BYTES } from "../../shared/files/regular-file.ts";
import type { Trainable } from "../../shared/messages.ts";
import type { Gpt2Config } from "../../shared/model/gpt2-config.ts";
import { plainTail } from "../../shared/model/tail-spec.ts";
import { innerWidth } from "../../shared/model/variant.ts";
import type { LongTexts, TrainConfig } from "../../shared/settings/config.ts";
import { countPhysicalCores } from "../../shared/vectors/physical-cores.ts";
import type { WorkerSide } from "../../shared/worker-port/worker-side.ts";
import { readModelShape } from "../base-model/read-model-shape.ts";
import { isHubName } from "../data/hub-name.ts";
import { inspectTexts, type TextsReport } from "../data/inspect-texts.ts";
import { findJoinedLabel } from "../data/label.ts";
import { tokenLimit } from "../data/limit-tokens.ts";
import { isNamedDataset } from "../data/load-dataset.ts";
import { nameSome, shortName } from "../data/name-some.ts";
import { type RowSurvey, readSurvey } from "../data/read-survey.ts";
import { countOverlap } from "../data/split.ts";
import { formatBytes, formatSeconds } from "../format.ts";
import { loadGpt2Tokenizer, loadTokenizer } from "../tokenizer/load-tokenizer.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { estimateMemory } from "../training/estimate-memory.ts";
import { estimateSteps, type MeasureUpdate } from "./estimate-steps.ts";

/** The files that a run would read, and their possible faults. */
export interface DataReport extends TextsReport {
	readonly files: readonly (Omit<RowSurvey, "texts"> & { readonly texts: number })[];
	/** Texts of `--validation` and `--test` that are also in `--train`. */
	readonly overlap: number;
	/** The model; its context limits the texts. */
	readonly model: { readonly name: string; readonly context: number; readonly blocks: number; readonly width: number };
	/** How longer texts are read. */
	readonly long: LongTexts;
	/** Estimated memory of a run in one process, if the last block is tuned, and if all parameters are. */
	readonly memoryBytes: number;
	readonly memoryOfAllBytes: number;
	/**
	 * Estimated seconds for the frozen blocks of the model, through which each text goes once. Undefined if the speed
	 * can't be measured.
	 */
	readonly trunkSeconds?: number;
	/** Estimated seconds for all training steps, if the last block is tuned in one process. */
	readonly trainingSeconds: number;
}

/** Measures the speed of this machine. */
export interface SpeedTests {
	readonly measureRates: WorkerSide["measureRates"];
	readonly measureUpdate: MeasureUpdate;
}

/** A class with this many times the texts of another one is worth a remark. */
const UNEVEN = 3;
const MOST_CLASSES = 15;

/**
 * Examines data as a run would read it, without training.
 * @param data a file or a folder; undefined: those of `--train`, `--validation` and `--test`
 * @param modelName `--model`; undefined: GPT-2 small, which needs no download
 * @throws TailtuneError "usage" without any of them, or as `readSurvey`
 */
export async function inspectData(
	data: string | undefined,
	config: TrainConfig,
	{ measureRates, measureUpdate }: SpeedTests,
	modelName?: string,
): Promise<DataReport> {
	const given = [config.train, config.validation, config.test].filter((file) => file !== undefined);
	const files = data === undefined ? given : [data];
	const surveys: RowSurvey[] = [];
	for (const file of (await Promise.all(files.map(findFiles))).flat())
		surveys.push(await readSurvey(file, config, MOST_TEXT_BYTES));
	const texts = surveys.flatMap((survey) => [...survey.texts]);
	if (texts.length === 0) {
		const [first = `${files.join(", ")}: contains no texts`] = surveys.flatMap(({ refusals }) => refusals);
		throw new TailtuneError("data", first);
	}
	const [train, ...others] = surveys.map((survey) => survey.texts);
	const { config: shape, folder } = await readModelShape(modelName ?? "random:small");
	const model = describeModel(modelName, shape);
	const limit = tokenLimit(config, model.context);
	const report = inspectTexts(texts, limit, await findTokenizer(folder, shape.vocab_size));
	const forTraining = data === undefined ? (train?.length ?? 0) : Math.floor(texts.length * config.split[0]);
	const seconds = await estimateTrunk(report.tokens.computed, shape, measureRates);
	return {
		files: surveys.map((survey) => ({ ...survey, texts: survey.texts.length })),
		overlap: others.reduce((sum, own) => sum + countOverlap(train ?? [], own), 0),
		...report,
		model,
		long: limit.long,
		memoryBytes: memoryOf("TRAINABLE_LAST_BLOCK", shape, report.classes.length),
		memoryOfAllBytes: memoryOf("TRAINABLE_ALL", shape, report.classes.length),
		...(seconds !== undefined && { trunkSeconds: seconds }),
		trainingSeconds: estimateSteps(shape, forTraining, config, measureUpdate),
	};
}

/** Returns the files of a data set of the hub, which are downloaded if they aren't in the cache, or the file itself. */
async function findFiles(data: string): Promise<readonly string[]> {
	if (isHubName(data)) return (await (await import("../data/hub-dataset.ts")).fetchHubDataset(data)).files;
	if (!isNamedDataset(data)) return [data];
	throw new TailtuneError("usage", `doctor: found ${data}, expected a file, a folder or hub:OWNER/NAME`);
}

/** Returns the tokenizer of a model's folder; GPT-2's if there is no folder. */
function findTokenizer(folder: string | undefined, size: number): Promise<Tokenizer> {
	return folder === undefined ? loadGpt2Tokenizer() : loadTokenizer(folder, size, "text");
}

function describeModel(name: string | undefined, config: Gpt2Config): DataReport["model"] {
	return { name: name ?? "GPT-2 small", context: config.n_positions, blocks: config.n_layer, width: config.n_embd };
}

function memoryOf(trainable: Trainable, config: Gpt2Config, classes: number): number {
	return estimateMemory(plainTail(trainable, classes), config, "fp32");
}

async function estimateTrunk(
	tokens: number,
	shape: Gpt2Config,
	measureRates: WorkerSide["measureRates"],
): Promise<number | undefined> {
	const rates = await measureRates(countPhysicalCores()).catch(() => []);
	const fastest = Math.max(...rates.filter(({ precision }) => precision === "fp32").map((rate) => rate.trunkGflops));
	// Operations in the matrix products of the frozen blocks, two for each weight and token.
	const weights = shape.n_embd * (4 * shape.n_embd + 2 * innerWidth(shape));
	const operations = tokens * (shape.n_layer - 1) * 2 * weights;
	return fastest > 0 ? operations / (fastest * 1e9) : undefined;
}

/** Describes a report, one line per fact. */
export function describeData(report: DataReport): string[] {
	const { trunkSeconds: seconds, trainingSeconds, model } = report;
	const time =
		seconds === undefined
			? "can't be told: the speed of this machine can't be measured"
			: `about ${formatSeconds(seconds + trainingSeconds)} on this machine: ${formatSeconds(seconds)} for the frozen blocks of ${model.name}, ${formatSeconds(trainingSeconds)} for the training steps`;
	const [memory, ofAll] = [report.memoryBytes, report.memoryOfAllBytes].map(formatBytes);
	return [
		...report.files.flatMap(fileLines),
		...classLines(report),
		...oddLines(report),
		`time      ${time}`,
		`memory    about ${memory} for a run with ${model.name} in one process, ${ofAll} with --trainable all`,
	];
}

function fileLines({ file, format, columns, texts, refused, refusals }: DataReport["files"][number]): string[] {
	const lines = [`file      ${file}: ${format}; ${counted(texts)}`, `columns   ${nameSome(columns)}`];
	if (refused === 0) return lines;
	return [
		...lines,
		`refused   ${refused} of the rows can't be used, for example:`,
		...refusals.map((line) => `          ${line}`),
	];
}

function classLines({ classes, tokens, texts }: DataReport): string[] {
	const shown = classes.slice(0, MOST_CLASSES).map(({ label, texts: own }) => {
		const share = ((100 * own) / texts).toFixed(1);
		return `class     ${shortName(label)}: ${counted(own)} (${share} %)`;
	});
	const rest = classes.length - shown.length;
	const { median, p95, longest, total } = tokens;
	const lengths = `tokens    ${total} in all; median ${median}, 95 % of texts up to ${p95}, longest ${longest}`;
	return [...shown, ...(rest > 0 ? [`class     and ${rest} more`] : []), lengths];
}

/** Treatment of texts that are longer than the limit. */
const LONG_REMARKS = {
	refuse: "a run refuses them, see --long",
	cut: "they are cut",
	"head-tail": "their ends are read",
	windows: "they are read in windows",
} as const satisfies Record<LongTexts, string>;

function oddLines({ classes, similarLabels, tokens, ...report }: DataReport): string[] {
	const [largest, smallest] = [classes[0]?.texts ?? 0, classes.at(-1)?.texts ?? 0];
	const { unlabelled, duplicates, contradictions, contradictionAt, overlap, long } = report;
	const joined = findJoinedLabel(classes.map(({ label }) => label));
	const odd = [
		classes.length < 2 && "there is only one class, a run needs two",
		largest >= UNEVEN * smallest &&
			classes.length > 1 &&
			`the largest class has ${(largest / smallest).toFixed(1)} times the texts of the smallest (see --balance)`,
		...similarLabels.map(
			(group) => `these labels differ only in case or spaces: ${nameSome(group.map((label) => JSON.stringify(label)))}`,
		),
		joined !== undefined &&
			`label ${JSON.stringify(shortName(joined))} seems to be several (see --multi-label; | is expected between)`,
		unlabelled > 0 && `without a label: ${counted(unlabelled)}`,
		duplicates > 0 && `equal to an earlier text: ${counted(duplicates)}`,
		contradictions > 0 &&
			`equal to an earlier text but with another label: ${counted(contradictions)}, for example ${contradictionAt.join(" and ")}`,
		overlap > 0 && `in --validation or --test and also in --train: ${counted(overlap)}`,
		tokens.overLimit > 0 && `more than ${tokens.limit} tokens: ${counted(tokens.overLimit)} (${LONG_REMARKS[long]})`,
	].filter((line) => line !== false);
	return odd.length > 0 ? odd.map((line) => `odd       ${line}`) : ["odd       nothing found"];
}

function counted(texts: number): string {
	return `${texts} ${texts === 1 ? "text" : "texts"}`;
}
