import { mkdir, readdir, readFile, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { ServedModels } from "../../../shared/exchange/model-manifest.ts";
import { ExchangeClientConstructor } from "../../../shared/exchange/tensor-service.ts";
import { openModel } from "../../../shared/model/open-model.ts";
import { writeRandomModel } from "../../../shared/model/random-model.ts";
import { Refusal } from "../../../shared/rpc/refusal.ts";
import { createClient } from "../../../worker/exchange/client.ts";
import { readAll } from "../../../worker/exchange/read.ts";
import { openGrpcExchange } from "../../shared/exchange/grpc-exchange.ts";
import { TINY } from "../../shared/model/tiny-model.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const WEIGHTS = "model.safetensors";
/** Several chunks. */
const MODEL = { ...TINY, vocab_size: 80_000 };

/** A coordinator that serves a model, a worker with an empty cache, and the model's folders on both sides. */
async function openModelExchange(t: ExecutionContext) {
	const root = await temporaryFolder(t);
	const source = join(root, "source");
	await writeRandomModel(source, MODEL, 1);
	await writeFile(join(source, "secret.json"), "{}");
	const hash = await (await openModel(source)).hash();
	const { coordinator, worker, close } = await openGrpcExchange({ models: new Map([[hash, source]]) });
	t.teardown(close);
	const cacheFolder = join(root, "cache");
	return { source, hash, coordinator, worker, cacheFolder, place: join(cacheFolder, "models", hash) };
}

test("a model is fetched once, file by file, into the folder of its hash, and equals the original", async (t) => {
	const { source, hash, worker, cacheFolder, place } = await openModelExchange(t);
	const progress: number[][] = [];
	const model = await worker.fetchModel(hash, { cacheFolder, onProgress: (...bytes) => progress.push(bytes) });
	t.is(model.folder, place);
	t.is(await model.hash(), hash);
	t.deepEqual(await readdir(join(cacheFolder, "models")), [hash]);
	t.deepEqual((await readdir(place)).sort(), ["config.json", WEIGHTS], "and no other file of that folder");
	t.true((await readFile(join(place, WEIGHTS))).equals(await readFile(join(source, WEIGHTS))));
	t.deepEqual(progress.at(-1)?.[0], progress.at(-1)?.[1]);
	t.true(progress.length > 3);
	const again = await worker.fetchModel(hash, { cacheFolder, onProgress: () => t.fail() });
	t.is(again.folder, place);
});

test("an interrupted download is resumed", async (t) => {
	const { source, hash, worker, cacheFolder, place } = await openModelExchange(t);
	const aside = join(cacheFolder, "models", `.${hash}.part`);
	await mkdir(aside, { recursive: true });
	const weights = await readFile(join(source, WEIGHTS));
	await writeFile(join(aside, WEIGHTS), weights.subarray(0, 1_500_001));
	const done: number[] = [];
	await worker.fetchModel(hash, { cacheFolder, onProgress: (bytes) => done.push(bytes) });
	const configBytes = (await stat(join(source, "config.json"))).size;
	t.true(done.includes(configBytes + 1_500_001));
	t.is(done.at(-1), configBytes + weights.length);
	t.true((await readFile(join(place, WEIGHTS))).equals(weights));
});

test("a damaged part is refused by its checksum, and the next attempt starts the file again", async (t) => {
	const { hash, worker, cacheFolder, place } = await openModelExchange(t);
	const aside = join(cacheFolder, "models", `.${hash}.part`);
	await mkdir(aside, { recursive: true });
	await writeFile(join(aside, WEIGHTS), Buffer.alloc(1000));
	await t.throwsAsync(worker.fetchModel(hash, { cacheFolder }), { code: "checksum", message: /safetensors.*sha256/ });
	t.is((await worker.fetchModel(hash, { cacheFolder })).folder, place);
});

for (const [title, damage] of [
	["shorter weights", (place: string) => truncate(join(place, WEIGHTS), 1000)],
	["other weights", (place: string) => writeRandomModel(place, MODEL, 2)],
	["another config", (place: string) => writeFile(join(place, "config.json"), JSON.stringify({ ...MODEL, n_head: 4 }))],
] as const) {
	test(`a cached model with ${title} is fetched again`, async (t) => {
		const { hash, worker, cacheFolder, place } = await openModelExchange(t);
		await worker.fetchModel(hash, { cacheFolder });
		await damage(place);
		const model = await worker.fetchModel(hash, { cacheFolder });
		t.is(await model.hash(), hash);
		t.is(model.config.n_head, MODEL.n_head);
	});
}

test("several workers fetch the same model into the same cache", async (t) => {
	const { hash, worker, cacheFolder, place } = await openModelExchange(t);
	const models = await Promise.all([1, 2, 3].map(() => worker.fetchModel(hash, { cacheFolder })));
	t.deepEqual(
		models.map(({ folder }) => folder),
		[place, place, place],
	);
});

test("the last five models that were used stay in the cache, and everything that isn't a model", async (t) => {
	const { hash, worker, cacheFolder } = await openModelExchange(t);
	const models = join(cacheFolder, "models");
	const names = Array.from("abcdef", (letter) => letter.repeat(64));
	const unfinished = `.${"1".repeat(64)}.part`;
	for (const [age, name] of [unfinished, ...names, "notes"].entries()) {
		await mkdir(join(models, name), { recursive: true });
		await utimes(join(models, name), 1000 + age, 1000 + age);
	}
	await worker.fetchModel(hash, { cacheFolder });
	t.deepEqual((await readdir(models)).sort(), [...names.slice(2), hash, "notes"].sort());
	// A use from the cache counts like a download.
	await utimes(join(models, hash), 1, 1);
	await worker.fetchModel(hash, { cacheFolder });
	t.true((await stat(join(models, hash))).mtimeMs > 1e6);
});

test("a model with another hash is not kept", async (t) => {
	const root = await temporaryFolder(t);
	await writeRandomModel(join(root, "source"), TINY, 1);
	const hash = "0".repeat(64);
	const { worker, close } = await openGrpcExchange({ models: new Map([[hash, join(root, "source")]]) });
	t.teardown(close);
	await t.throwsAsync(worker.fetchModel(hash, { cacheFolder: root }), { code: "checksum", message: /hash 0000/ });
	t.deepEqual(await readdir(join(root, "models")), []);
});

test("a model that isn't served is not found; an invalid hash is not requested", async (t) => {
	const { coordinator, worker, cacheFolder } = await openModelExchange(t);
	const unknown = worker.fetchModel("f".repeat(64), { cacheFolder });
	await t.throwsAsync(unknown, { code: "not-found", message: /model "fff.*is not served/ });
	t.deepEqual([...coordinator.refusals], [["REFUSAL_UNKNOWN_MODEL", 1]]);
	await t.throwsAsync(worker.fetchModel("../../etc", { cacheFolder }), { code: "protocol" });
});

for (const [name, byteOffset, reason] of [
	["secret.json", 0, "REFUSAL_UNKNOWN_FILE"],
	["../source/config.json", 0, "REFUSAL_UNKNOWN_FILE"],
	["", 0, "REFUSAL_UNKNOWN_FILE"],
	["config.json", 2 ** 40, "REFUSAL_OFFSET"],
] as const) {
	test(`reading ${JSON.stringify(name)} from byte ${byteOffset} on is refused with ${reason}`, async (t) => {
		const { hash, coordinator } = await openModelExchange(t);
		const client = await createClient(ExchangeClientConstructor, coordinator.address);
		t.teardown(() => client.close());
		const call = client.getModelFile({ protocolVersion: 1, modelHash: hash, name, byteOffset });
		const error = await t.throwsAsync(readAll(call).next(), { instanceOf: Refusal });
		t.is(error?.reason, reason);
	});
}

test("reading a file that has become shorter is refused", async (t) => {
	const { hash, source } = await openModelExchange(t);
	const models = new ServedModels(new Map([[hash, source]]));
	const request = { protocolVersion: 1, modelHash: hash };
	const { files } = await models.manifest(request);
	t.deepEqual(
		files?.map(({ name }) => name),
		["config.json", WEIGHTS],
	);
	await truncate(join(source, WEIGHTS), 10);
	const chunks = models.file({ ...request, name: WEIGHTS, byteOffset: 0 });
	t.is((await chunks.next()).value?.chunk.data.length, 10);
	await t.throwsAsync(chunks.next(), { message: /shorter/ });
});
