import { resolve } from "node:path";
import type { DownloadListener } from "../../shared/files/download.ts";
import type { Dataset } from "./dataset.ts";
import { isHubName } from "./hub-name.ts";
import { type DatasetColumns, readDataset } from "./read-dataset.ts";
import { loadSmsSpam } from "./sms-spam.ts";
import { loadSpamAssassin } from "./spam-assassin.ts";

/** Built-in data sets; every other value is a file, a folder or a data set of the hub. */
const NAMED = ["sms-spam", "spam-assassin"];

/** Whether the value of `--data`, `--train` and so on is the name of a data set, not a file. */
export function isNamedDataset(data: string): boolean {
	return NAMED.includes(data) || isHubName(data);
}

/** A data set that was read. */
export interface LoadedDataset extends Dataset {
	/**
	 * A value of `--data` that names the same files later and in other folders: an absolute path, a built-in data set, or
	 * a data set of the hub with its commit.
	 */
	readonly resolvedName: string;
}

/**
 * Loads labelled texts: a built-in data set (`sms-spam`, `spam-assassin`), one of the hub (`hub:owner/name`), or a file
 * or folder as `readDataset` does.
 * @param columns names of the columns of a CSV or JSONL file
 * @param listener receives messages and progress of a download
 * @throws TailtuneError "not-found" or "data"; for a data set that is downloaded also "offline", "checksum" or "disk"
 */
export async function loadDataset(
	data: string,
	columns: DatasetColumns,
	listener?: DownloadListener,
): Promise<LoadedDataset> {
	if (NAMED.includes(data)) {
		const load =
			data === "sms-spam" ? loadSmsSpam(listener && { onProgress: listener.download(data) }) : loadSpamAssassin();
		const dataset = await load;
		columns.onFile?.({ file: data, format: "built-in data set", texts: dataset.examples.length });
		return { ...dataset, resolvedName: data };
	}
	if (!isHubName(data)) return { ...(await readDataset(data, columns)), resolvedName: resolve(data) };
	const { fetchHubDataset } = await import("./hub-dataset.ts");
	const { files, resolvedName } = await fetchHubDataset(data, { ...(listener && { listener }) });
	return { ...(await readDataset(files, columns)), resolvedName };
}
