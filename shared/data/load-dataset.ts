import type { Dataset } from "./dataset.ts";
import type { OnProgress } from "./download-bytes.ts";
import { type DatasetColumns, readDataset } from "./read-dataset.ts";
import { loadSmsSpam } from "./sms-spam.ts";
import { loadSpamAssassin } from "./spam-assassin.ts";

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
