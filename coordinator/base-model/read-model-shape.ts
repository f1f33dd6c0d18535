import type { Gpt2Config } from "../../shared/model/gpt2-config.ts";
import { readGpt2Config } from "../../shared/model/gpt2-config.ts";
import { GPT2_SIZES, type Gpt2Size } from "../../shared/model/random-model.ts";
import type { HubOptions } from "../hub/hub-access.ts";
import { findHubId, resolveModel } from "./resolve-model.ts";

/** The shape of a model. */
export interface ModelShape {
	readonly config: Gpt2Config;
	/** Folder with the configuration and the tokenizer; undefined for `random:SIZE`, which has GPT-2's tokenizer. */
	readonly folder: string | undefined;
}

/**
 * Reads the shape of the model of `--model`. Weights of a hub model aren't downloaded.
 * @throws TailtuneError as `resolveModel` and `readGpt2Config`
 */
export async function readModelShape(name: string, options: HubOptions = {}): Promise<ModelShape> {
	const size = name.replace(/^random:/, "");
	if (size !== name && Object.hasOwn(GPT2_SIZES, size))
		return { config: GPT2_SIZES[size as Gpt2Size], folder: undefined };
	const id = await findHubId(name);
	const folder = id
		? await (await import("./hub-model.ts")).fetchHubConfig(id, options)
		: await resolveModel(name, options);
	return { config: (await readGpt2Config(folder)).config, folder };
}
