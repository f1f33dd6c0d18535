import { TailtuneError } from "../../shared/errors.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";
import type { RunEvents } from "../events/run-events.ts";
import { formatCount } from "../format.ts";
import type { ClassTexts } from "../run-folder/result.ts";
import { repeatSmallLabels, undersample } from "./balance.ts";
import { countByLabel, type Dataset, type Example, hashDatasets, withLabels } from "./dataset.ts";
import { groupEqual } from "./group-equal.ts";
import { loadDataset } from "./load-dataset.ts";
import type { ReadFile } from "./read-dataset.ts";
import { assertSeveralLabels, assertSplittable, type Split, split, splitAtRandom, splitForFold } from "./split.ts";

/** The error if no texts are given. */
export const DATA_REQUIRED = "--data: required; a file, a folder, hub:OWNER/NAME, sms-spam or spam-assassin";

/** The three sets of a run, and how each class's texts were distributed among them. */
export interface LoadedSets extends Split {
	/** Texts of the training set, once for each time that an epoch repeats them. */
	readonly repeats: readonly Example[];
	readonly classes: readonly ClassTexts[];
	/** The files that were read. */
	readonly files: readonly ReadFile[];
	/** Values of `--data`, `--train`, `--validation` and `--test` that name the same files later; see `loadDataset`. */
	readonly names: Partial<Record<NamedSet, string>>;
	/** Number of texts that equal another one, by `--dedupe`. */
	readonly equal: number;
	/** SHA-256 of all texts that were read, before they were split. */
	readonly hash: string;
}

type NamedSet = "data" | "train" | "validation" | "test";

type Settings = Pick<
	TrainConfig,
	| NamedSet
	| "textColumn"
	| "labelColumn"
	| "encoding"
	| "delimiter"
	| "balance"
	| "dedupe"
	| "multiLabel"
	| "split"
	| "fold"
	| "seed"
	| "batch"
>;

/**
 * Reads the three sets of a run: one data set that is split, or three given ones. Only the training set is balanced, so
 * that validation and test keep the real proportions of the classes; with `--balance all` all texts are undersampled
 * before the split.
 * @throws TailtuneError "usage", "data" or "offline" that names the flag, or the file and the row
 */
export async function loadSets(config: Settings, events: RunEvents): Promise<LoadedSets> {
	if (config.multiLabel && config.balance !== "none" && config.balance !== "weights")
		throw new TailtuneError(
			"usage",
			`--balance: found "${config.balance}", expected none or weights with --multi-label`,
		);
	const files: ReadFile[] = [];
	const names: Partial<Record<NamedSet, string>> = {};
	const columns = { ...config, say: (line: string) => events.line(line), onFile: (file: ReadFile) => files.push(file) };
	const given = await readGiven(config, async (set, name) => {
		const { resolvedName, ...dataset } = await loadDataset(name, columns, events);
		names[set] = resolvedName;
		return dataset;
	});
	const whole = "examples" in given ? splitTexts(given, config) : given;
	const equal = reportEqual(whole, config.dedupe, events);
	const sets = balanceTraining(whole, config, "examples" in given);
	const repeats = config.balance === "oversample" ? repeatSmallLabels(sets.train, config.seed) : [];
	const all = "examples" in given ? [given] : [given.train, given.validation, given.test];
	const read = { classes: countClasses(all, sets, repeats), files, names, equal, hash: hashDatasets(all) };
	const loaded = { ...sets, repeats, ...read };
	assertEnoughLeft(loaded, config);
	return loaded;
}

function splitTexts(texts: Dataset, config: Settings): Split {
	// Checked before balancing: after it every label would have as few texts as the smallest one.
	assertSplittable(texts);
	if (config.fold !== undefined) return splitTextsForFold(texts, config, config.fold);
	if (config.balance === "all") return splitAtRandom(undersample(texts, config.seed), config.split, config.seed);
	return split(texts, config.split, config.seed, groupEqual(texts.examples, config.dedupe));
}

function splitTextsForFold(texts: Dataset, { balance, dedupe, split, seed }: Settings, fold: string): Split {
	const [number = 0, of = 0] = fold.split("/").map(Number);
	const balanced = balance === "all" ? undersample(texts, seed) : texts;
	return splitForFold(balanced, { number, of }, split, seed, (examples) => groupEqual(examples, dedupe));
}

/**
 * Prints how many texts are equal to others, and whether some of these are in different sets.
 * @returns the number of these texts
 */
function reportEqual({ train, validation, test }: Split, dedupe: Settings["dedupe"], events: RunEvents): number {
	const all = [train, validation, test].flatMap(({ examples }, set) => examples.map(({ text }) => ({ text, set })));
	const several = groupEqual(all, dedupe).filter(({ length }) => length > 1);
	const count = (groups: readonly number[][]) => groups.reduce((sum, { length }) => sum + length, 0);
	if (several.length === 0) return 0;
	const spread = several.filter((group) => new Set(group.map((index) => all[index]?.set)).size > 1);
	const found = `${formatCount(count(several))} of ${formatCount(all.length)} texts are equal to others (--dedupe ${dedupe})`;
	if (spread.length === 0) events.line(`${found}; equal texts are in the same set`);
	else events.warn(`${found}; ${formatCount(count(spread))} of these are equal to a text in another set`);
	return count(several);
}

function balanceTraining(sets: Split, { balance, seed }: Settings, isSplit: boolean): Split {
	assertSeveralLabels(sets.train);
	// With `all` the texts were undersampled before they were split.
	const isUndersampled = balance === "undersample" || (balance === "all" && !isSplit);
	return isUndersampled ? { ...sets, train: undersample(sets.train, seed) } : sets;
}

function countClasses(
	given: readonly Dataset[],
	{ train, validation, test }: Split,
	repeats: readonly Example[],
): ClassTexts[] {
	const repeated = countByLabel({ labels: train.labels, examples: repeats });
	const inSet = { train: countByLabel(train), validation: countByLabel(validation), test: countByLabel(test) };
	const inGiven = given.map(countByLabel);
	return train.labels.map((label, index) => {
		const read = inGiven.reduce((sum, count) => sum + (count[index] ?? 0), 0);
		const [ofTrain = 0, ofValidation = 0, ofTest = 0] = Object.values(inSet).map((count) => count[index]);
		const unused = read - ofTrain - ofValidation - ofTest;
		const counts = { read, train: ofTrain, validation: ofValidation, test: ofTest, unused };
		return { label, ...counts, repeats: repeated[index] ?? 0 };
	});
}

/** Names the smallest class in the message, since undersampling cuts all other classes to its size. */
function assertEnoughLeft({ train, classes }: LoadedSets, { batch }: Settings): void {
	const left = train.examples.length;
	if (left >= batch || classes.every(({ unused }) => unused === 0)) return;
	const smallest = classes.find(({ unused }) => unused === 0);
	const found = `class ${JSON.stringify(smallest?.label)} has ${smallest?.train} for training, which leaves ${left} of all classes`;
	throw new TailtuneError("data", `--balance: ${found}, expected at least --batch (${batch}); or --balance none`);
}

async function readGiven(
	config: Settings,
	load: (set: NamedSet, name: string) => Promise<Dataset>,
): Promise<Dataset | Split> {
	const { data } = config;
	const sets = { train: config.train, validation: config.validation, test: config.test };
	const [first] = Object.entries(sets).find(([, file]) => file !== undefined) ?? [];
	if (first === undefined) {
		if (data !== undefined) return load("data", data);
		throw new TailtuneError("usage", DATA_REQUIRED);
	}
	if (config.fold !== undefined)
		throw new TailtuneError("usage", `--fold: can't be combined with --${first}; the texts of --data are divided`);
	if (data !== undefined)
		throw new TailtuneError("usage", `--data: can't be combined with --${first}; expected one of them`);
	const read = async (set: keyof typeof sets) => {
		const file = sets[set];
		if (file !== undefined) return load(set, file);
		throw new TailtuneError("usage", `--${set}: required with --${first}; expected a file`);
	};
	const train = await read("train");
	const underLabels = async (set: keyof typeof sets) => withLabels(await read(set), train.labels);
	return { train, validation: await underLabels("validation"), test: await underLabels("test") };
}
