import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import test from "ava";
import { execa } from "execa";
import { readClassifierSettings } from "../../../coordinator/classify/classifier-settings.ts";
import { openTable } from "../../../coordinator/data/open-table.ts";
import { readDataset } from "../../../coordinator/data/read-dataset.ts";
import { readAudit, readMetrics, readRunResult } from "../../../coordinator/run-folder/result-files.ts";
import { readRunConfig } from "../../../coordinator/run-folder/run-folder.ts";
import { lockRunFolder } from "../../../coordinator/run-folder/run-lock.ts";
import { readTokens } from "../../../coordinator/serve/read-tokens.ts";
import { fingerprintModel } from "../../../coordinator/serve/stage-model.ts";
import { loadTokenizer } from "../../../coordinator/tokenizer/load-tokenizer.ts";
import { readNatsAccess } from "../../../shared/bus/nats/credentials.ts";
import { openRegularFile, readRegularFile } from "../../../shared/files/regular-file.ts";
import { openModel } from "../../../shared/model/open-model.ts";
import { readSafetensorsFile } from "../../../shared/model/safetensors.ts";
import { readServerCredentials, readToken } from "../../../shared/rpc/credentials.ts";
import { resolveConfig } from "../../../shared/settings/resolve-config.ts";
import { newFolder } from "../../new-folder.ts";

test("pipes, sockets, folders and devices are refused by their kind, without waiting for data", async (t) => {
	const folder = await newFolder();
	await execa("mkfifo", [join(folder, "pipe")]);
	const server = createServer().listen(join(folder, "socket"));
	await once(server, "listening");
	t.teardown(() => void server.close());
	const refused = [
		[join(folder, "pipe"), "a pipe"],
		[join(folder, "socket"), "a socket"],
		[folder, "a folder"],
		["/dev/zero", "a device"],
	] as const;
	for (const [path, kind] of refused) {
		const expected = { code: "model", message: `${path}: found ${kind}, expected a file` };
		await t.throwsAsync(openRegularFile(path, "model"), expected);
		await t.throwsAsync(readRegularFile(path, 10, "model"), expected);
	}
	const missing = join(folder, "none");
	await t.throwsAsync(readRegularFile(missing, 10, "model"), {
		code: "not-found",
		message: `${missing}: no such file or folder`,
	});
});

test("a file is read up to its limit, and a longer one is refused", async (t) => {
	const file = join(await newFolder(), "file");
	await writeFile(file, "0123456789");
	t.is(String(await readRegularFile(file, 10, "data")), "0123456789");
	await t.throwsAsync(readRegularFile(file, 9, "data"), {
		code: "data",
		message: `${file}: found at least 10 bytes, expected at most 9`,
	});
	await writeFile(file, "");
	t.is((await readRegularFile(file, 9, "data")).length, 0);
});

test("the limit also applies to files with a reported size of 0", async (t) => {
	t.regex(String(await readRegularFile("/proc/self/status", 1 << 20, "data")), /^Name:.*\n.*VmRSS:/s);
	await t.throwsAsync(readRegularFile("/proc/self/status", 100, "data"), { message: /: found at least 101 bytes/ });
});

const READERS: [what: string, read: (folder: string, pipe: string) => Promise<unknown>, name: string][] = [
	["labelled texts", (_, pipe) => readDataset(pipe), "data.tsv"],
	["texts", (_, pipe) => openTable(pipe, { textColumn: "text", labelColumn: undefined }), "texts.txt"],
	["a configuration", (_, pipe) => resolveConfig({}, pipe), "run.yaml"],
	["a model's configuration", (folder) => openModel(folder), "config.json"],
	["weights", (_, pipe) => readSafetensorsFile(pipe), "model.safetensors"],
	["the settings of a tuned model", (folder) => readClassifierSettings(folder), "tailtune.json"],
	["a served model's file", (folder) => fingerprintModel(dirname(folder)), "model.safetensors"],
	["a tokenizer", (folder) => loadTokenizer(folder, 50257, "text"), "tokenizer.json"],
	["a run's configuration", (folder) => readRunConfig(folder), "config.json"],
	["a result", (folder) => readRunResult(folder), "result.json"],
	["metrics", (folder) => readMetrics(folder), "metrics.jsonl"],
	["the audit", (folder) => readAudit(folder), "audit.jsonl"],
	["a run's lock", (folder) => lockRunFolder(folder), "run.lock"],
	["a token", (_, file) => readToken({ file }), "token"],
	["tokens", (_, pipe) => readTokens(pipe), "tokens"],
	["TLS files", (_, certFile) => readServerCredentials({ certFile, keyFile: certFile }), "cert.pem"],
	["NATS's password", (_, pipe) => readNatsAccess({ TAILTUNE_NATS_TOKEN_FILE: pipe }), "password"],
	["NATS's certificate authority", (_, pipe) => readNatsAccess({ TAILTUNE_NATS_CA_FILE: pipe }), "ca.pem"],
];

for (const [what, read, name] of READERS) {
	test(`a pipe instead of ${what} is refused with its name`, async (t) => {
		const folder = join(await newFolder(), "model");
		await mkdir(folder);
		const pipe = join(folder, name);
		await execa("mkfifo", [pipe]);
		const error = await t.throwsAsync(read(folder, pipe), { name: "TailtuneError" });
		t.true(error?.message.includes(`${pipe}: found a pipe`), error?.message);
	});
}
