import { join } from "node:path";
import type { ExecutionContext } from "ava";
import type { Gpt2Config } from "../../../shared/model/gpt2-config.ts";
import { writeRandomModel } from "../../../shared/model/random-model.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

/** A very small GPT-2: 2 blocks, width 8, 11 tokens. */
export const TINY: Gpt2Config = {
	n_layer: 2,
	n_embd: 8,
	n_head: 2,
	n_positions: 6,
	vocab_size: 11,
	layer_norm_epsilon: 1e-5,
};

/** Writes a random tiny model. Its folder is removed after the test. */
export async function tinyModel(t: ExecutionContext): Promise<string> {
	const folder = join(await temporaryFolder(t), "tiny");
	await writeRandomModel(folder, TINY, 1);
	return folder;
}
