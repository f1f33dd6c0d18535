import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import test, { type ExecutionContext } from "ava";
import fc from "fast-check";
import { downloadFile } from "../../../shared/files/download.ts";
import { explainFullDisk } from "../../../shared/files/free-space.ts";
import { DownloadError } from "../../../shared/files/transfer.ts";
import { asDiskError } from "../../../shared/files/write-atomic.ts";
import { serveHttp } from "../../serve-http.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const content = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * i) % 251));
const checksum = createHash("sha256").update(content).digest("hex");

async function serve(t: ExecutionContext, listener: RequestListener) {
	const folder = await temporaryFolder(t);
	const url = `${await serveHttp(t, listener)}/file`;
	const whole = { url, maxBytes: content.length, sizeBytes: content.length, checksum };
	return { folder, path: join(folder, "file"), url, whole };
}

/** Answers the requested range. The connection breaks after `atMost` bytes. */
function answer(request: IncomingMessage, response: ServerResponse, atMost = Number.POSITIVE_INFINITY): void {
	const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
	const rest = content.subarray(from);
	const range = from > 0 && { "Content-Range": `bytes ${from}-${content.length - 1}/${content.length}` };
	response.writeHead(from > 0 ? 206 : 200, { "Content-Length": rest.length, ...range });
	if (rest.length <= atMost) response.end(rest);
	else response.write(rest.subarray(0, atMost), () => response.destroy());
}

test("of two downloads of one file at the same time, one waits for the other and requests nothing", async (t) => {
	let requests = 0;
	let second: Promise<void> | undefined;
	const { folder, path, whole } = await serve(t, (_request, response) => {
		requests++;
		response.writeHead(200, { "Content-Length": content.length });
		response.write(content.subarray(0, 2000));
		second = downloadFile(whole, path, { onBusy: () => response.end(content.subarray(2000)) });
	});
	await downloadFile(whole, path);
	await second;
	t.is(requests, 1);
	t.deepEqual(await readFile(path), content);
	t.deepEqual(await readdir(folder), ["file"]);
});

test("if the process that downloads a file is killed, the waiting one continues with the received bytes", async (t) => {
	const ranges: (string | undefined)[] = [];
	const { folder, path, whole } = await serve(t, (request, response) => {
		ranges.push(request.headers.range);
		if (ranges.length > 1) return answer(request, response);
		response.writeHead(200, { "Content-Length": content.length });
		response.write(content.subarray(0, 2000));
	});
	const program = "test/shared/files/download-program.ts";
	const first = spawn(process.execPath, ["--import=./test/load-typescript.mjs", program, JSON.stringify(whole), path]);
	t.teardown(() => first.kill("SIGKILL"));
	for await (const line of createInterface(first.stdout)) if (line === "2000") break;
	await downloadFile(whole, path, { onBusy: () => first.kill("SIGKILL") });
	t.deepEqual(ranges, [undefined, "bytes=2000-"]);
	t.deepEqual(await readFile(path), content);
	t.deepEqual(await readdir(folder), ["file"]);
});

test("an aborted download doesn't wait any longer for another one", async (t) => {
	const { path, whole } = await serve(t, (_request, response) => void response.write(content.subarray(0, 100)));
	const [first, second] = [new AbortController(), new AbortController()];
	const running = downloadFile(whole, path, { signal: first.signal });
	const onBusy = () => second.abort(new Error("enough"));
	await t.throwsAsync(downloadFile(whole, path, { signal: second.signal, onBusy }), { message: "enough" });
	first.abort(new Error("also enough"));
	await t.throwsAsync(running, { message: "also enough" });
});

test("a file without enough free space is refused before a request", async (t) => {
	const { folder, path, whole } = await serve(t, () => t.fail("requested"));
	await t.throwsAsync(downloadFile({ ...whole, sizeBytes: 1e17, maxBytes: 1e17 }, path), {
		code: "disk",
		message: /\/file: can't be written: no space is left on the disk: 100000000000000000 bytes needed, \d+ free$/,
	});
	t.deepEqual(await readdir(folder), []);
	const full = Object.assign(new Error("write"), { code: "ENOSPC" });
	const explained = (await explainFullDisk(asDiskError(`${path}.incomplete`, full), path, 500)) as Error;
	t.regex(explained.message, /\/file: can't be written: no space is left on the disk: 500 bytes needed, \d+ free$/);
	const other = asDiskError(path, Object.assign(new Error("open"), { code: "EACCES" }));
	t.is(await explainFullDisk(other, path, 500), other);
});

test("a rest of another file than before isn't used", async (t) => {
	const ranges: (string | undefined)[] = [];
	let answerRange = (_response: ServerResponse): unknown => undefined;
	const { path, whole } = await serve(t, (request, response) => {
		ranges.push(request.headers.range);
		if (request.headers.range) answerRange(response);
		else answer(request, response);
	});
	const range = (text: string) => (response: ServerResponse) =>
		response.writeHead(206, { "Content-Range": text }).end(content.subarray(1000));
	for (answerRange of [
		range("bytes 1000-4999/6000"),
		range("bytes 900-4999/5000"),
		(response: ServerResponse) => response.writeHead(206).end(content.subarray(1000)),
		(response: ServerResponse) => response.writeHead(416).end(),
	]) {
		ranges.length = 0;
		await rm(path, { force: true });
		await writeFile(`${path}.incomplete`, Buffer.alloc(1000));
		await downloadFile(whole, path);
		t.deepEqual(ranges, ["bytes=1000-", undefined]);
		t.deepEqual(await readFile(path), content);
	}
});

test("a download whose connection breaks repeatedly requests only the missing bytes", async (t) => {
	let cuts: number[] = [];
	let sent = 0;
	const { path, whole } = await serve(t, (request, response) => {
		const atMost = cuts.shift();
		sent += atMost ?? 0;
		answer(request, response, atMost);
	});
	await fc.assert(
		fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 900 }), { maxLength: 5 }), async (list) => {
			cuts = [...list];
			sent = 0;
			const told: number[] = [];
			await rm(path, { force: true });
			await downloadFile(whole, path, { onProgress: (done) => told.push(done) });
			t.true(sent <= content.length);
			t.deepEqual(
				told,
				[...told].sort((a, b) => a - b),
			);
			t.is(told.at(-1), content.length);
			t.deepEqual(await readFile(path), content);
		}),
		{ numRuns: 20 },
	);
});

test("a part left by an ended process is completed, and one that is too long is deleted", async (t) => {
	const ranges: (string | undefined)[] = [];
	const { folder, path, whole } = await serve(t, (request, response) => {
		ranges.push(request.headers.range);
		answer(request, response);
	});
	await writeFile(`${path}.incomplete`, content.subarray(0, 1234));
	await downloadFile(whole, path);
	await rm(path);
	await writeFile(`${path}.incomplete`, content);
	await truncate(`${path}.incomplete`, content.length + 1);
	await downloadFile(whole, path);
	t.deepEqual(ranges, ["bytes=1234-", undefined]);
	t.deepEqual(await readFile(path), content);
	t.deepEqual(await readdir(folder), ["file"]);
});

test("too many bytes, an error status and a slow server are errors, and no file is left", async (t) => {
	const { folder, path, url } = await serve(t, (request, response) => {
		if (request.url === "/file") answer(request, response);
		else if (request.url === "/slow") response.writeHead(200).write("some");
		else response.writeHead(404).end();
	});
	const refusal = (source: string, maxBytes: number, options = {}) =>
		t.throwsAsync(downloadFile({ url: source, maxBytes }, path, options), { instanceOf: DownloadError });
	t.is((await refusal(url, content.length - 1))?.message, "more than 4999 bytes");
	t.is((await refusal(`${url}s`, 1))?.message, "status 404");
	t.is((await refusal(url.replace("file", "slow"), 9, { totalMs: 200 }))?.message, "not complete after 0.2 s");
	t.is((await refusal(url.replace("file", "slow"), 9, { stallMs: 200 }))?.message, "silent for 0.2 s");
	t.deepEqual(await readdir(folder), []);
});

test("an aborted download ends with the signal's reason and keeps its part", async (t) => {
	const { folder, path, whole } = await serve(t, (_request, response) => void response.write(content.subarray(0, 100)));
	const stop = new AbortController();
	const download = downloadFile(whole, path, {
		signal: stop.signal,
		onProgress: () => stop.abort(new Error("enough")),
	});
	await t.throwsAsync(download, { message: "enough" });
	t.deepEqual(await readdir(folder), ["file.incomplete"]);
	t.deepEqual(await readFile(`${path}.incomplete`), content.subarray(0, 100));
});
