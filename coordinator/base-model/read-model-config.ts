import type { Gpt2Config } from "../../shared/model/gpt2-config.ts";
import { readGpt2Config } from "../../shared/model/gpt2-config.ts";
import { GPT2_SIZES, type Gpt2Size } from "../../shared/model/random-model.ts";
import type { HubOptions } from "../hub/hub-access.ts";
import { findHubId, resolveModel } from "./resolve-model.ts";

/**
 * Reads the shape of the model of `--model`. Of a hub model that isn't in the cache only `config.json` is downloaded.
 * @throws TailtuneError as `resolveModel` and `readGpt2Config`
 */
export async function readModelConfig(name: string, options: HubOptions = {}): Promise<Gpt2Config> {
	const size = name.replace(/^random:/, "");
	if (size !== name && Object.hasOwn(GPT2_SIZES, size)) return GPT2_SIZES[size as Gpt2Size];
	const id = await findHubId(name);
	const folder = id
		? await (await import("./hub-model.ts")).fetchHubConfig(id, options)
		: await resolveModel(name, options);
	return (await readGpt2Config(folder)).config;
}
