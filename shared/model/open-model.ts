import { readdir, realpath } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { checkValue } from "../check-value.ts";
import { TailtuneError } from "../errors.ts";
import { readJson } from "../files/json-file.ts";
import { pathExists } from "../files/regular-file.ts";
import { type Gpt2Config, readGpt2Config } from "./gpt2-config.ts";
import type { ModelFiles, StoredTensor } from "./model-files.ts";
import { baseShapes } from "./parameter-layout.ts";
import { readSafetensorsFile, readTensor } from "./safetensors.ts";
import { type FileTensor, isStoredType, quote, STORED_TYPES } from "./safetensors-header.ts";
import { scanTensors, type TensorScan } from "./scan-tensors.ts";

/** Files of a model folder: a single file of weights, or the index of several. */
export const WEIGHTS_FILE = "model.safetensors";
export const INDEX_FILE = "model.safetensors.index.json";

/** Written before names of tensors by models with a head, by torch.compile, and by training on several devices. */
const PREFIXES = /^(?:_orig_mod\.|module\.|model\.|gpt2\.|transformer\.)+/;

/** Converts PyTorch's files, without running programs in them. Tied tensors are copied: safetensors refuses them. */
export const CONVERT_COMMAND =
	`python -c "import glob, torch, safetensors.torch as s; s.save_file({k: v.clone().contiguous() ` +
	`for f in glob.glob('pytorch_model*.bin') for k, v in torch.load(f, map_location='cpu', weights_only=True).items()}, ` +
	`'${WEIGHTS_FILE}')"`;

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/**
 * Opens a GPT-2 in Hugging Face's layout: `config.json` and `model.safetensors`, or an index and shards. Reads only the
 * headers of the weights.
 * @throws TailtuneError "not-found" if the folder or a file is missing, "model" if a file isn't usable or a tensor is
 *   missing or has another shape
 */
export async function openModel(path: string): Promise<ModelFiles> {
	const folder = await realpath(path).catch((cause) => {
		throw new TailtuneError("not-found", `${path}: no such folder, expected a model in Hugging Face layout`, { cause });
	});
	const { config, labels } = await readGpt2Config(folder);
	const tensors = selectTensors(folder, config, await readHeaders(folder));
	let scan: Promise<TensorScan> | undefined;
	const scanOnce = () => {
		scan ??= scanTensors(config, tensors);
		return scan;
	};
	return {
		folder,
		config,
		labels: tensors.get("score.weight")?.shape[0] === labels?.length ? labels : undefined,
		tensors,
		hash: async () => (await scanOnce()).hash,
		checkFinite: async () => {
			const { notFinite } = await scanOnce();
			if (notFinite !== undefined)
				throw refusal(
					tensors.get(notFinite)?.file ?? folder,
					notFinite,
					"found NaN or infinity, expected finite numbers",
				);
		},
		read: async (name) => {
			const tensor = tensors.get(name);
			if (!tensor) throw refusal(folder, name, "not in this model");
			return readTensor(tensor, name);
		},
	};
}

/** Reads the names of the shards in an index, each once. Throws TailtuneError "model" if one is outside the folder. */
export async function readShardNames(folder: string): Promise<string[]> {
	const file = join(folder, INDEX_FILE);
	const { weight_map } = checkValue(indexSchema, await readJson(file), file, "model");
	const shards = [...new Set(Object.values(weight_map))];
	const stray = shards.find((shard) => shard !== basename(shard) || !shard.endsWith(".safetensors"));
	if (stray !== undefined) {
		throw new TailtuneError(
			"model",
			`${file}: found shard ${quote(stray)}, expected a .safetensors file in the same folder`,
		);
	}
	return shards;
}

/** Explains which weights a folder has instead. PyTorch's own format can contain programs, so it isn't read. */
async function noWeights(folder: string): Promise<TailtuneError> {
	const names = await readdir(folder).catch(() => []);
	if (!names.some((name) => /^pytorch_model.*\.bin$/.test(name))) {
		const found = `found neither ${WEIGHTS_FILE} nor ${INDEX_FILE} (other formats aren't read)`;
		return new TailtuneError("not-found", `${folder}: ${found}`);
	}
	const message = `found pytorch_model.bin, expected ${WEIGHTS_FILE}; to convert it, run in this folder: ${CONVERT_COMMAND}`;
	return new TailtuneError("model", `${folder}: ${message}`);
}

async function readHeaders(folder: string): Promise<Map<string, FileTensor>> {
	const whole = await pathExists(join(folder, WEIGHTS_FILE), "model");
	if (!whole && !(await pathExists(join(folder, INDEX_FILE), "model"))) throw await noWeights(folder);
	const tensors = new Map<string, FileTensor>();
	for (const name of whole ? [WEIGHTS_FILE] : await readShardNames(folder)) {
		const file = await readSafetensorsFile(join(folder, name));
		for (const [stored, tensor] of file.tensors) {
			const plain = stored.replace(PREFIXES, "");
			if (tensors.has(plain)) throw refusal(file.file, plain, "found twice in this model");
			tensors.set(plain, tensor);
		}
	}
	return tensors;
}

// Files contain more than parameters: causal masks, a copy of the token embedding. Other tensors are ignored.
function selectTensors(folder: string, config: Gpt2Config, found: ReadonlyMap<string, FileTensor>) {
	const selected = new Map<string, StoredTensor>();
	const select = (name: string, shape: readonly number[]) => {
		const tensor = found.get(name);
		if (!tensor) throw refusal(folder, name, `missing, expected [${shape}]`);
		const { file, type } = tensor;
		if (tensor.shape.join() !== shape.join()) throw refusal(file, name, `found [${tensor.shape}], expected [${shape}]`);
		if (!isStoredType(type)) throw refusal(file, name, `found type ${type}, expected ${STORED_TYPES}`);
		selected.set(name, { ...tensor, type });
	};
	checkBlocks(folder, config, found);
	for (const [name, shape] of baseShapes(config)) select(name, shape);
	const classes = found.get("score.weight")?.shape[0];
	if (classes !== undefined) {
		select("score.weight", [classes, config.n_embd]);
		if (found.has("score.bias")) select("score.bias", [classes]);
	}
	return selected;
}

/** Checks the number of blocks before anything is allocated per block: a configuration can contain any number. */
function checkBlocks(folder: string, { n_layer }: Gpt2Config, found: ReadonlyMap<string, FileTensor>): void {
	const blocks = new Set([...found.keys()].flatMap((name) => /^h\.(\d+)\./.exec(name)?.[1] ?? [])).size;
	if (n_layer <= blocks) return;
	const expected = `expected at most ${blocks}, the blocks in its weights`;
	throw new TailtuneError("model", `${join(folder, "config.json")}: n_layer: found ${n_layer}, ${expected}`);
}

function refusal(place: string, tensor: string, found: string): TailtuneError {
	return new TailtuneError("model", `${place}: tensor ${quote(tensor)}: ${found}`);
}
