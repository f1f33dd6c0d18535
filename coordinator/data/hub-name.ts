import { dirname } from "node:path/posix";
import { TailtuneError } from "../../shared/errors.ts";
import { nameSome } from "./name-some.ts";

/** A data set of the hub, and the part of it to read. */
export interface HubName {
	/** As given. */
	readonly name: string;
	/** For example "stanfordnlp/imdb". */
	readonly repo: string;
	/** Branch, tag or commit; default "main". */
	readonly revision: string;
	/** A split or a file; default: the split train, or the only file. */
	readonly part: string | undefined;
}

const HUB = "hub:";
const DATA_FILE = /\.(parquet|csv|tsv|jsonl|ndjson|json)(\.gz)?$/i;
/** Descriptions of a data set, which aren't its rows. */
const NO_DATA = /(^|\/)(\.|(dataset_infos|dataset_dict|dataset_info|state|config)\.json$)/;

/** Whether the value of `--data` names a data set of the hub. */
export function isHubName(data: string): boolean {
	return data.startsWith(HUB);
}

/** Reads hub:owner/name[@revision][:split or file]. Throws TailtuneError "usage" if it is something else. */
export function parseHubName(name: string): HubName {
	const parts = /^hub:([\w.-]+\/[\w.-]+)(?:@([\w./-]+))?(?::(.+))?$/.exec(name);
	const [, repo = "", revision = "main", part] = parts ?? [];
	if (parts && !/(^|\/)\.\.(\/|$)/.test(`${repo}/${revision}`)) return { name, repo, revision, part };
	const expected = "expected hub:OWNER/NAME, hub:OWNER/NAME:SPLIT, hub:OWNER/NAME:FILE or hub:OWNER/NAME@REVISION";
	throw new TailtuneError("usage", `--data: found ${JSON.stringify(name)}, ${expected}`);
}

/** Formats the name of the same part of a data set at a revision. */
export function formatHubName({ repo, part }: HubName, revision: string): string {
	return `${HUB}${repo}@${revision}${part === undefined ? "" : `:${part}`}`;
}

/**
 * Chooses the files of a data set to read: the file with that path, or all files of a split, in order. A file belongs
 * to a split if a part of its path has its name (`data/train-00000-of-00002.parquet`).
 * @throws TailtuneError "data" if there are none, or if they lie in several folders or have several formats
 */
export function chooseHubFiles({ name, part }: HubName, paths: readonly string[]): string[] {
	const data = paths.filter((path) => DATA_FILE.test(path) && !NO_DATA.test(path)).sort();
	if (part !== undefined && data.includes(part)) return [part];
	const split = part ?? "train";
	const ofSplit = data.filter((path) =>
		path
			.toLowerCase()
			.split(/[/._-]/)
			.includes(split.toLowerCase()),
	);
	const chosen = ofSplit.length === 0 && part === undefined && data.length === 1 ? data : ofSplit;
	const kinds = new Set(chosen.map((path) => dirname(path) + DATA_FILE.exec(path)?.[0]));
	if (kinds.size === 1) return chosen;
	const found = kinds.size === 0 ? `no files of ${JSON.stringify(split)}` : "files of several kinds or folders";
	const files = nameSome(kinds.size === 0 ? data : chosen) || "no .parquet, .csv, .tsv or .json files";
	throw new TailtuneError("data", `${name}: found ${found}: ${files}; name a split or a file after a colon`);
}
