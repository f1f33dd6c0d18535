import { join } from "node:path";
import type { ExecutionContext } from "ava";
import type { Gpt2Config } from "../../../shared/model/gpt2-config.ts";
import { writeRandomModel } from "../../../shared/model/random-model.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

/** A GPT-2 that takes no time: 2 blocks, 8 wide, 11 tokens. */
export const TINY: Gpt2Config = {
	n_layer: 2,
	n_embd: 8,
	n_head: 2,
	n_positions: 6,
	vocab_size: 11,
	layer_norm_epsilon: 1e-5,
};

/** The folder of a random tiny model that goes when the test ends. */
export async function tinyModel(t: ExecutionContext): Promise<string> {
	const folder = join(await temporaryFolder(t), "tiny");
	await writeRandomModel(folder, TINY, 1);
	return folder;
}
