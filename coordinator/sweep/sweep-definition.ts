import { TailtuneError } from "../../shared/errors.ts";
import { FEWEST_FOLDS, MOST_FOLDS, PRESETS, type TrainConfig } from "../../shared/settings/config.ts";
import { readConfigFile } from "../../shared/settings/config-file.ts";
import { parseFlags } from "../../shared/settings/flags.ts";
import { checkConfig, completeConfig, flagOf } from "../../shared/settings/resolve-config.ts";
import type { SweepState } from "../events/sweep-schema.ts";
import { parseCount } from "../parse-count.ts";
import { makePathsAbsolute } from "../training/absolute-paths.ts";
import { BOOK_EXPERIMENTS } from "./book-experiments.ts";
import { DEFAULT_FACTOR, planRungs } from "./plan-rungs.ts";

/** The settings of all trials, and the values that are tried. */
export type SweepDefinition = Pick<
	SweepState,
	"settings" | "varied" | "samples" | "halving" | "experiments" | "seeds" | "folds"
>;

type Key = keyof TrainConfig;
type Values = Readonly<Record<string, readonly unknown[]>>;

/** Settings with one value per sweep: scores on other data or by another metric can't be compared. */
const NEVER_VARIED: readonly Key[] = [
	"preset",
	"data",
	"train",
	"validation",
	"test",
	"multiLabel",
	"metric",
	"fold",
	"name",
	"out",
] as const;

/** Values of these settings may contain commas. Several values can only be given in a file. */
const WITH_COMMAS: readonly Key[] = ["textColumn", "labelColumn", "delimiter", "split"];

/** The preset that makes the experiments of the book. */
const EXPERIMENTS = "book-experiments";

const MOST_TRIALS = 1000;
const MOST_SETTINGS = 100_000;

/**
 * Reads the definition of a sweep. A flag may have several values with commas between; a key of the file may have a
 * list.
 * @param options values of the flags, as text
 * @param file the YAML or JSON file of `--config`
 * @returns the definition, with absolute paths, and the folder of `--out`
 * @throws TailtuneError "usage" that names the flag or the key in the file
 */
export async function readSweepDefinition(
	options: Readonly<Record<string, unknown>>,
	file?: string,
): Promise<{ definition: SweepDefinition; out: string | undefined }> {
	const { seeds, folds, samples, halving, ...fromFile } = file === undefined ? {} : await readConfigFile(file);
	const asked = { seeds, folds, samples, halving, ...onlyGiven(options) };
	const flags = readFlags(options);
	const nameOf = (key: string) => (key in flags || file === undefined ? flagOf(key) : `${file}: ${key}`);
	const { all, experiments } = expandPreset({ ...readLists(fromFile), ...flags }, nameOf);
	const { seed = [], ...others } = all;
	const isSingle = ([, values]: [string, readonly unknown[]]) => values.length === 1;
	const constant = Object.entries(others).filter(isSingle);
	const varied = Object.fromEntries(Object.entries(others).filter((entry) => !isSingle(entry)));
	assertVariable(varied, nameOf);
	const given = Object.fromEntries(constant.map(([key, [value]]) => [key, value]));
	const { seed: firstSeed, out, ...settings } = completeConfig({ ...given, seed: seed[0] }, nameOf);
	for (const value of seed) checkConfig({ seed: value }, nameOf);
	const fixed = Object.entries(settings).filter(([key]) => !(key in varied));
	const definition = await withAbsolutePaths({
		halving: null,
		settings: Object.fromEntries(fixed),
		varied,
		samples: asked.samples === undefined ? null : parseCount("--samples", asked.samples),
		experiments,
		seeds: chooseSeeds(firstSeed, seed as number[], asked.seeds),
		folds: parseFolds(asked.folds, settings),
	});
	assertFewTrials(definition);
	return { definition: { ...definition, halving: planHalving(definition, asked.halving) }, out };
}

/** Returns the flags of the command itself that are given. */
function onlyGiven({ seeds, folds, samples, halving }: Readonly<Record<string, unknown>>): Record<string, unknown> {
	const flags = Object.entries({ seeds, folds, samples, halving });
	return Object.fromEntries(flags.filter(([, value]) => value !== undefined));
}

/**
 * Replaces the preset of the experiments by that of the book. Its data and metric are used unless others are given.
 * @throws TailtuneError "usage" that names the presets if there is none of that name
 */
function expandPreset(
	all: Values,
	nameOf: (key: string) => string,
): { all: Values; experiments: SweepDefinition["experiments"] } {
	const [preset, ...others] = all.preset ?? [];
	if (
		preset !== undefined &&
		preset !== EXPERIMENTS &&
		others.length === 0 &&
		!Object.hasOwn(PRESETS, String(preset))
	) {
		const expected = [...Object.keys(PRESETS), EXPERIMENTS].join(", ");
		throw new TailtuneError("usage", `${nameOf("preset")}: found "${preset}", expected one of ${expected}`);
	}
	if (preset !== EXPERIMENTS) return { all, experiments: null };
	const data = all.data === undefined && all.train === undefined ? { data: ["sms-spam"] } : {};
	return { all: { metric: ["accuracy"], ...data, ...all, preset: ["book"] }, experiments: "book" };
}

/** Splits the values of the flags at commas. */
function readFlags(options: Readonly<Record<string, unknown>>): Values {
	const isWhole = (key: string) => ([...NEVER_VARIED, ...WITH_COMMAS] as readonly string[]).includes(key);
	const entries = Object.keys(parseFlags(options)).map((key) => {
		const text = options[key];
		const parts = typeof text === "string" && !isWhole(key) ? text.split(",") : [text];
		return [key, unique(parts.map((part) => parseFlags({ [key]: part })[key]))];
	});
	return Object.fromEntries(entries);
}

/** A list is several values. A list of three numbers is one value of `split`. */
function readLists(settings: Readonly<Record<string, unknown>>): Values {
	const isList = (key: string, value: unknown): value is unknown[] =>
		Array.isArray(value) && (key !== "split" || Array.isArray(value[0]));
	const entries = Object.entries(settings).map(([key, value]) => [key, isList(key, value) ? unique(value) : [value]]);
	return Object.fromEntries(entries);
}

function unique(values: readonly unknown[]): unknown[] {
	return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}

function assertVariable(varied: Values, nameOf: (key: string) => string): void {
	for (const [key, values] of Object.entries(varied)) {
		if (values.length === 0)
			throw new TailtuneError("usage", `${nameOf(key)}: found an empty list, expected at least one value`);
		if ((NEVER_VARIED as readonly string[]).includes(key))
			throw new TailtuneError("usage", `${nameOf(key)}: found ${values.length} values, expected one for all trials`);
		for (const value of values) checkConfig({ [key]: value }, nameOf);
	}
}

/** Returns the given seeds if they are several; otherwise as many as asked for, from the first one up. */
function chooseSeeds(first: number, given: readonly number[], asked: unknown): number[] {
	if (given.length > 1 && asked === undefined) return [...given];
	if (given.length > 1) throw new TailtuneError("usage", "--seeds: can't be combined with several values of --seed");
	const count = parseCount("--seeds", asked ?? 1);
	return Array.from({ length: Math.min(count, MOST_TRIALS + 1) }, (_, i) => first + i);
}

function parseFolds(asked: unknown, { fold, train }: Pick<TrainConfig, "fold" | "train">): number | null {
	if (asked === undefined) return null;
	const other = fold !== undefined ? "--fold" : train !== undefined ? "--train" : undefined;
	if (other !== undefined) throw new TailtuneError("usage", `--folds: can't be combined with ${other}`);
	return parseCount("--folds", asked, { least: FEWEST_FOLDS, most: MOST_FOLDS });
}

/** Makes the paths of data and models absolute, so that the sweep can be resumed from any folder. */
async function withAbsolutePaths({ settings, varied, ...others }: SweepDefinition): Promise<SweepDefinition> {
	const { model, ...fixed } = settings as TrainConfig;
	const absolute = async (name: unknown) => makePathsAbsolute({ ...fixed, model: String(name) });
	if (varied.model === undefined) return { settings: await absolute(model), varied, ...others };
	const models = await Promise.all(varied.model.map(absolute));
	const { model: _, ...rest } = models[0] as TrainConfig;
	return { settings: rest, varied: { ...varied, model: models.map((config) => config.model) }, ...others };
}

/** @param asked value of `--halving`; true: without a number */
function planHalving(definition: SweepDefinition, asked: unknown): SweepDefinition["halving"] {
	if (asked === undefined || asked === false) return null;
	if (definition.varied.epochs !== undefined)
		throw new TailtuneError("usage", "--halving: can't be combined with several values of --epochs");
	const factor = asked === true ? DEFAULT_FACTOR : parseCount("--halving", asked, { least: 2, most: MOST_SETTINGS });
	const settings = Math.min(countCombinations(definition), definition.samples ?? MOST_SETTINGS);
	return { factor, rungs: planRungs(factor, Number(definition.settings.epochs), settings) };
}

function countCombinations({ varied, experiments }: SweepDefinition): number {
	const rows = experiments === "book" ? BOOK_EXPERIMENTS.length : 1;
	return Object.values(varied).reduce((product, values) => product * values.length, rows);
}

function assertFewTrials(definition: SweepDefinition): void {
	const { samples, seeds, folds } = definition;
	const settings = countCombinations(definition);
	const trials = Math.min(settings, samples ?? settings) * seeds.length * (folds ?? 1);
	if (settings <= MOST_SETTINGS && trials <= MOST_TRIALS) return;
	const found = `found ${settings} combinations of values and ${trials} trials with all seeds and folds`;
	throw new TailtuneError("usage", `${found}, expected at most ${MOST_SETTINGS} and ${MOST_TRIALS}`);
}
