import type { OnProgress } from "../../shared/files/transfer.ts";
import type { Dataset } from "./dataset.ts";
import { type DatasetColumns, readDataset } from "./read-dataset.ts";
import { loadSmsSpam } from "./sms-spam.ts";
import { loadSpamAssassin } from "./spam-assassin.ts";

/** Data sets that have a name; any other is a file or a folder. */
const NAMED = ["sms-spam", "spam-assassin"];

/** Whether `--data` and the like name a data set, and not a file. */
export function isNamedDataset(data: string): boolean {
	return NAMED.includes(data);
}

/**
 * Labelled texts by name (`sms-spam`, `spam-assassin`), or of a file or folder as `readDataset`.
 * @param columns of a CSV or JSONL file
 * @param onProgress of a download
 * @throws TailtuneError "not-found" or "data"; for a name "offline", "checksum" or "disk"
 */
export async function loadDataset(data: string, columns: DatasetColumns, onProgress?: OnProgress): Promise<Dataset> {
	if (data === "sms-spam") return loadSmsSpam({ ...(onProgress && { onProgress }) });
	if (data === "spam-assassin") return loadSpamAssassin();
	return readDataset(data, columns);
}
