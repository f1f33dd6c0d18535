import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { strToU8, zipSync } from "fflate";
import { loadSmsSpam, type SmsSpamOptions } from "../../../coordinator/data/sms-spam.ts";
import { TailtuneError } from "../../../shared/errors.ts";
import { serveHttp } from "../../serve-http.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const ENTRY = "SMSSpamCollection";
const content = "ham\tsee you at five\nspam\tyou won a prize\n";
const sha256 = createHash("sha256").update(content).digest("hex");
const zip = Buffer.from(zipSync({ readme: strToU8("about"), [ENTRY]: strToU8(content) }));
const otherZip = Buffer.from(zipSync({ [ENTRY]: strToU8("ham\tanother collection\n") }));

const answers = {
	good: (_, response) => void response.writeHead(200, { "Content-Length": zip.length }).end(zip),
	unsized: (_, response) => void response.write(zip, () => response.end()),
	other: (_, response) => void response.end(otherZip),
	noZip: (_, response) => void response.end("<html>please log in</html>"),
	missing: (_, response) => void response.writeHead(404).end(),
	silent: () => {},
	stalling: (_, response) => void response.writeHead(200, { "Content-Length": zip.length }).write(zip.subarray(0, 40)),
	truncated: (_, response) => {
		response.writeHead(200, { "Content-Length": zip.length });
		response.write(zip.subarray(0, 40), () => response.destroy());
	},
	broken: (_, response) => void response.writeHead(503).end(),
} satisfies Record<string, RequestListener>;

type Answer = keyof typeof answers;

/**
 * Starts a server that answers the requests of each path (`/0`, `/1` and so on) with the items of its list, in order.
 */
async function serve(t: ExecutionContext, ...paths: (readonly Answer[])[]) {
	const requests: string[] = [];
	const base = await serveHttp(t, (request, response) => {
		const path = paths[Number(request.url?.slice(1))] ?? [];
		const earlier = requests.filter((url) => url === request.url).length;
		requests.push(request.url ?? "");
		answers[path[Math.min(earlier, path.length - 1)] ?? "missing"](request, response);
	});
	const cacheFolder = await temporaryFolder(t);
	const options: SmsSpamOptions = { urls: paths.map((_, index) => `${base}/${index}`), cacheFolder, sha256 };
	return { requests, cacheFolder, options };
}

async function assertLoads(t: ExecutionContext, options: SmsSpamOptions) {
	const { labels, examples } = await loadSmsSpam(options);
	t.deepEqual(labels, ["ham", "spam"]);
	t.deepEqual(
		examples.map(({ text }) => text),
		["see you at five", "you won a prize"],
	);
}

async function refusal(t: ExecutionContext, options: SmsSpamOptions, code: string) {
	const error = await t.throwsAsync(loadSmsSpam(options), { instanceOf: TailtuneError, code });
	t.deepEqual(await readdir(options.cacheFolder as string), [], "nothing is left behind");
	return error?.message ?? "";
}

test("the collection is downloaded once, then taken from the cache", async (t) => {
	const { requests, cacheFolder, options } = await serve(t, ["good"], ["good"]);
	await assertLoads(t, options);
	await assertLoads(t, options);
	t.deepEqual(requests, ["/0"]);
	t.deepEqual(await readdir(cacheFolder), [ENTRY]);
});

test("a cached file that was changed is downloaded again", async (t) => {
	const { requests, cacheFolder, options } = await serve(t, ["good"]);
	await writeFile(join(cacheFolder, ENTRY), "ham\tdamaged\n");
	await assertLoads(t, options);
	t.deepEqual(requests, ["/0"]);
	t.is(await readFile(join(cacheFolder, ENTRY), "utf8"), content);
});

for (const first of ["missing", "other", "noZip", "silent", "stalling", "truncated", "broken"] as const) {
	test(`if the first address answers "${first}", the second one is used`, async (t) => {
		const { requests, options } = await serve(t, [first], ["good"]);
		await assertLoads(t, { ...options, silenceMs: 1_000 });
		t.is(requests.at(-1), "/1");
	});
}

for (const first of ["truncated", "broken"] as const) {
	test(`an address that answers "${first}" is asked once more`, async (t) => {
		const { requests, options } = await serve(t, [first, "good"], ["good"]);
		await assertLoads(t, options);
		t.deepEqual(requests, ["/0", "/0"]);
	});
}

test('without a network the error is "offline" and names both addresses', async (t) => {
	const { options } = await serve(t, ["missing"]);
	const [found] = options.urls as string[];
	const unreachable = "http://127.0.0.1:1/a.zip";
	t.is(
		await refusal(t, { ...options, urls: [unreachable, found as string] }, "offline"),
		`sms-spam: can't be downloaded from ${unreachable} (can't be reached) or ${found} (status 404); to use your own texts: --data FILE`,
	);
});

test("if addresses send nothing the error reports it", async (t) => {
	const { options } = await serve(t, ["silent"], ["stalling"]);
	const message = await refusal(t, { ...options, silenceMs: 200 }, "offline");
	t.is(message.match(/\(silent for 0\.2 s\)/g)?.length, 2);
});

test("a file that differs from the published one is refused by its checksum", async (t) => {
	const { options } = await serve(t, ["other"], ["noZip"]);
	t.regex(await refusal(t, options, "checksum"), /\/0 \(another file than expected\) or .*\/1 \(another file than/);
});

test("progress is reported in bytes, and ends with all of them", async (t) => {
	const sized = await serve(t, ["good"]);
	const unsized = await serve(t, ["unsized"]);
	const told: [number, number][] = [];
	const onProgress = (done: number, total: number) => void told.push([done, total]);
	await loadSmsSpam({ ...sized.options, onProgress });
	t.deepEqual(told.at(-1), [zip.length, zip.length]);
	await loadSmsSpam({ ...unsized.options, onProgress });
	const [done, total] = told.at(-1) ?? [];
	t.true(done === total && told.every(([some, all]) => some <= all));
});

test("a cache that can't be written is named in the error", async (t) => {
	const { cacheFolder, options } = await serve(t, ["good"]);
	await writeFile(join(cacheFolder, "file"), "");
	const error = await t.throwsAsync(loadSmsSpam({ ...options, cacheFolder: join(cacheFolder, "file", "cache") }), {
		instanceOf: TailtuneError,
	});
	t.is(error?.code, "disk");
	t.true(error?.message.includes(join("file", "cache", ENTRY)));
});
