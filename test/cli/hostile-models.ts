import { cp, mkdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeRandomModel } from "../../shared/model/random-model.ts";

/** A tiny GPT-2 with the whole vocabulary. */
const SMALL = { n_layer: 1, n_embd: 8, n_head: 2, n_positions: 64, vocab_size: 50257, layer_norm_epsilon: 1e-5 };

type Header = Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;

/** Ways to break a good model, by the name of the copy; each is called with the folder of a copy. */
const BROKEN: Readonly<Record<string, (folder: string) => Promise<void>>> = {
	"no-config": (folder) => rm(join(folder, "config.json")),
	"config-no-json": (folder) => writeFile(join(folder, "config.json"), '{"model_type":'),
	"config-list": (folder) => writeFile(join(folder, "config.json"), "[]"),
	bert: (folder) => changeConfig(folder, { model_type: "bert" }),
	mish: (folder) => changeConfig(folder, { activation_function: "mish" }),
	heads: (folder) => changeConfig(folder, { n_head: 3 }),
	"no-blocks": (folder) => changeConfig(folder, { n_layer: 0 }),
	"other-width": (folder) => changeConfig(folder, { n_embd: 16 }),
	"no-weights": (folder) => rm(weightsOf(folder)),
	"weights-folder": async (folder) => {
		await rm(weightsOf(folder));
		await mkdir(weightsOf(folder));
	},
	"no-safetensors": (folder) => writeFile(weightsOf(folder), "these are no weights"),
	empty: (folder) => truncate(weightsOf(folder), 0),
	"cut-header": (folder) => truncate(weightsOf(folder), 100),
	"cut-data": (folder) => truncate(weightsOf(folder), 1_000_000),
	"longer-header": (folder) =>
		changeBytes(folder, (bytes) => {
			bytes.writeBigUInt64LE(2n ** 60n);
		}),
	"larger-shape": (folder) => changeHeader(folder, ({ "wpe.weight": wpe }) => wpe?.shape.fill(640, 0, 1)),
	"moved-tensor": (folder) =>
		changeHeader(folder, ({ "ln_f.bias": bias }) => {
			if (bias) bias.data_offsets = [0, 32];
		}),
	"missing-tensor": (folder) => changeHeader(folder, (header) => rename(header, "ln_f.bias", "ln_f.offset")),
	"turned-tensor": (folder) => changeHeader(folder, ({ "wpe.weight": wpe }) => wpe?.shape.reverse()),
	"whole-numbers": (folder) =>
		changeHeader(folder, ({ "ln_f.bias": bias }) => {
			if (bias) bias.dtype = "I32";
		}),
	nan: (folder) =>
		changeBytes(folder, (bytes, header) => {
			const data = 8 + Number(bytes.readBigUInt64LE());
			bytes.writeFloatLE(Number.NaN, data + (header["h.0.mlp.c_fc.weight"]?.data_offsets[0] ?? 0) + 4);
		}),
};

/** Writes one folder per broken model, and `few-tokens`, a good model with another vocabulary. */
export async function writeHostileModels(into: string): Promise<void> {
	const good = join(into, "good");
	await writeRandomModel(good, SMALL, 1);
	for (const [name, breakModel] of Object.entries(BROKEN)) {
		await cp(good, join(into, name), { recursive: true });
		await breakModel(join(into, name));
	}
	await writeRandomModel(join(into, "few-tokens"), { ...SMALL, vocab_size: 300 }, 1);
}

function weightsOf(folder: string): string {
	return join(folder, "model.safetensors");
}

async function changeConfig(folder: string, change: object): Promise<void> {
	const file = join(folder, "config.json");
	await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, "utf8")), ...change }));
}

async function changeBytes(folder: string, change: (bytes: Buffer, header: Header) => void): Promise<void> {
	const bytes = await readFile(weightsOf(folder));
	change(bytes, JSON.parse(headerOf(bytes).toString()));
	await writeFile(weightsOf(folder), bytes);
}

async function changeHeader(folder: string, change: (header: Header) => void): Promise<void> {
	const bytes = await readFile(weightsOf(folder));
	const old = headerOf(bytes);
	const header = JSON.parse(old.toString());
	change(header);
	const text = Buffer.from(JSON.stringify(header));
	const length = Buffer.alloc(8);
	length.writeBigUInt64LE(BigInt(text.length));
	await writeFile(weightsOf(folder), Buffer.concat([length, text, bytes.subarray(8 + old.length)]));
}

function headerOf(bytes: Buffer): Buffer {
	return bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE()));
}

function rename(header: Header, from: string, to: string): void {
	const tensor = header[from];
	delete header[from];
	if (tensor) header[to] = tensor;
}
