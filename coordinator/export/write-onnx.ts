import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ModelFiles, StoredTensor } from "../../shared/model/model-files.ts";
import { isEmbedding } from "../../shared/model/parameter-layout.ts";
import { readSafetensorsFile, type TensorToWrite, writeSafetensors } from "../../shared/model/safetensors.ts";
import {
	type BuildOnnxClassifier,
	type OnnxTensor,
	type OnnxWeights,
	scaleName,
} from "../../shared/worker-port/onnx-classifier.ts";
import { readingOf } from "../classify/classifier-settings.ts";
import type { TunedModel } from "../classify/tuned-model.ts";
import { GRAPH_FILES } from "./export-formats.ts";
import { type QuantizedTensor, quantizeTensor } from "./quantize-tensor.ts";

/** The folder of graphs that Optimum and transformers.js look for. */
const FOLDER = "onnx";

/**
 * Writes the graph of a model, and its weights to a second file: a graph's file can't be larger than 2 GB.
 * @param isQuantized whether the matrices of blocks and embeddings are written in 8 bits
 * @returns settings for `config.json`, by which transformers.js finds the files
 */
export async function writeOnnx(
	{ model, settings }: TunedModel,
	folder: string,
	build: BuildOnnxClassifier,
	isQuantized: boolean,
): Promise<object> {
	const dtype = isQuantized ? "q8" : "fp32";
	const file = join(folder, FOLDER, GRAPH_FILES[dtype]);
	await mkdir(dirname(file));
	const tensors = [...model.tensors].flatMap(([name, stored]) => toWrite(model, name, stored, isQuantized));
	const weights = await writeWeights(`${file}_data`, tensors, model);
	await writeFile(file, await build(weights, readingOf(settings)));
	return { dtype, use_external_data_format: { [GRAPH_FILES[dtype]]: 1 } };
}

async function writeWeights(path: string, tensors: TensorToWrite[], { config }: ModelFiles): Promise<OnnxWeights> {
	await writeSafetensors(path, tensors);
	const written = await readSafetensorsFile(path);
	return { folder: dirname(written.file), config, tensors: written.tensors as ReadonlyMap<string, OnnxTensor> };
}

function toWrite(model: ModelFiles, name: string, { shape }: StoredTensor, isQuantized: boolean): TensorToWrite[] {
	const isTable = isEmbedding(name);
	const isLayer = name.startsWith("h.") && shape.length === 2;
	if (!isQuantized || !(isTable || isLayer)) return [{ name, shape, data: () => model.read(name) }];
	const [rows = 0, columns = 0] = shape;
	// Both parts are written one after the other, so that only one tensor is in memory.
	let both: Promise<QuantizedTensor> | undefined;
	const quantize = () => {
		both ??= model.read(name).then((values) => quantizeTensor(values, columns, isTable ? "rows" : "columns"));
		return both;
	};
	const scales = async () => {
		const quantized = await quantize();
		both = undefined;
		return quantized.scales;
	};
	return [
		{ name, shape, type: "U8", data: async () => (await quantize()).numbers },
		{ name: scaleName(name), shape: isTable ? [rows, 1] : [columns], data: scales },
	];
}
