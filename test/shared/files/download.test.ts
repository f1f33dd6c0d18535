import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import fc from "fast-check";
import { downloadFile } from "../../../shared/files/download.ts";
import { DownloadError } from "../../../shared/files/transfer.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const content = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * i) % 251));
const checksum = createHash("sha256").update(content).digest("hex");

async function serve(t: ExecutionContext, listener: RequestListener) {
	const server = createServer(listener).listen(0, "127.0.0.1");
	await once(server, "listening");
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	const folder = await temporaryFolder(t);
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`;
	const whole = { url, maxBytes: content.length, sizeBytes: content.length, checksum };
	return { folder, path: join(folder, "file"), url, whole };
}

/** Answers the requested range. The connection breaks after `atMost` bytes. */
function answer(request: IncomingMessage, response: ServerResponse, atMost = Number.POSITIVE_INFINITY): void {
	const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
	const rest = content.subarray(from);
	response.writeHead(from > 0 ? 206 : 200, { "Content-Length": rest.length });
	if (rest.length <= atMost) response.end(rest);
	else response.write(rest.subarray(0, atMost), () => response.destroy());
}

test("two downloads of one file at the same time don't write to the same part", async (t) => {
	const halves: (() => void)[] = [];
	const { folder, path, whole } = await serve(t, (_request, response) => {
		response.writeHead(200, { "Content-Length": content.length });
		response.write(content.subarray(0, 2000));
		// The rest is sent when both have begun, so that both write at the same time.
		halves.push(() => response.end(content.subarray(2000)));
		if (halves.length === 2) for (const finish of halves) finish();
	});
	await Promise.all([downloadFile(whole, path), downloadFile(whole, path)]);
	t.deepEqual(await readFile(path), content);
	t.deepEqual(await readdir(folder), ["file"]);
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
