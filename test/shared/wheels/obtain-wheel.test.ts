import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { obtainWheel, wheelCache } from "../../../shared/wheels/obtain-wheel.ts";
import type { Wheel } from "../../../shared/wheels/wheel.ts";
import { newFolder } from "../../new-folder.ts";
import { serveHttp } from "../../serve-http.ts";

const content = Buffer.from("a wheel");
const wheel: Wheel = {
	project: "some-wheel",
	version: "1.0",
	file: "some_wheel-1.0-py3-none-any.whl",
	sizeBytes: content.length,
	sha256: createHash("sha256").update(content).digest("hex"),
};
const listener = { line: () => {}, download: () => () => {} };

test.beforeEach(async () => {
	process.env.XDG_CACHE_HOME = await newFolder();
});

test.serial("a wheel is downloaded once from a URL, checked, and then taken from the cache", async (t) => {
	const requested: (string | undefined)[] = [];
	const address = await serveHttp(t, (request, response) => {
		requested.push(request.url);
		response.end(content);
	});
	const base = `${address}/wheels`;
	const first = await obtainWheel(wheel, base, listener);
	t.deepEqual(await readFile(first), content);
	t.is(await obtainWheel(wheel, base, listener), first);
	t.deepEqual(requested, [`/wheels/${wheel.file}`]);
});

test.serial("a file that isn't the pinned one is refused, from any source", async (t) => {
	const other = Buffer.from("A WHEEL");
	const folder = await newFolder();
	await writeFile(join(folder, wheel.file), other);
	await t.throwsAsync(obtainWheel(wheel, folder, listener), { code: "checksum", message: /expected [0-9a-f]{64} of/ });
	await mkdir(wheelCache(), { recursive: true });
	await writeFile(join(wheelCache(), wheel.file), other);
	await t.throwsAsync(obtainWheel(wheel, undefined, listener), { code: "checksum" });
	t.deepEqual(await readdir(wheelCache()), []);
});

test.serial("a folder without the wheel and an unreachable server are named in the error", async (t) => {
	const folder = await newFolder();
	await t.throwsAsync(obtainWheel(wheel, folder, listener), { code: "not-found", message: /some_wheel-1\.0/ });
	await t.throwsAsync(obtainWheel(wheel, "http://127.0.0.1:9/", listener), {
		code: "offline",
		message: /127\.0\.0\.1:9/,
	});
});
