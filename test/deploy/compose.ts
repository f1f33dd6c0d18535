import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { natsServerProgram } from "../nats-server.ts";
import { newFolder } from "../new-folder.ts";

const service = z.looseObject({
	entrypoint: z.array(z.string()).optional(),
	command: z.array(z.string()).optional(),
	environment: z.record(z.string(), z.string()).default({}),
	healthcheck: z.looseObject({ test: z.array(z.string()) }).optional(),
	secrets: z.array(z.string()).default([]),
	volumes: z.array(z.string()).default([]),
});

/** Parts of compose.yaml that the tests use. */
export const composeFile = z.looseObject({
	services: z.strictObject({ nats: service, coordinator: service, worker: service, "gpu-worker": service }),
	secrets: z.record(z.string(), z.object({ file: z.string() })),
	volumes: z.record(z.string(), z.null()),
});

export type Service = z.infer<typeof service>;

/** Reads compose.yaml with merge keys applied. */
export async function readCompose(): Promise<unknown> {
	return parse(await readFile(new URL("../../deploy/compose.yaml", import.meta.url), "utf8"), { merge: true });
}

/** Replaces the containers' hosts, ports and folders by ones of this machine. */
export interface LocalSetup {
	/** Folder of the run's results. */
	readonly out: string;
	/** Folder for caches. */
	readonly cache: string;
	/** Returns a text of the file with the hosts, ports and folders of this machine. */
	localize(text: string): string;
}

/** Prepares folders and ports. @param app replaces /app of the image @param config of the run */
export async function prepareLocally(
	app: string,
	config: object,
	secrets: Readonly<Record<string, string>>,
): Promise<LocalSetup> {
	const folder = await newFolder();
	const [nats, monitoring, tensors] = [await freePort(), await freePort(), await freePort()];
	await mkdir(join(folder, "secrets"));
	for (const [name, secret] of Object.entries(secrets)) await writeFile(join(folder, "secrets", name), `${secret}\n`);
	await writeFile(join(folder, "run.yaml"), stringify(config));
	const replacements: readonly [found: string, local: string][] = [
		["$$", "$"],
		["exec nats-server", `exec ${await natsServerProgram()} -a 127.0.0.1 -p ${nats}`],
		["nats://nats:4222", `nats://127.0.0.1:${nats}`],
		["8222", `${monitoring}`],
		["coordinator:7070", `127.0.0.1:${tensors}`],
		["7070, 'coordinator'", `${tensors}, '127.0.0.1'`],
		["/app", app],
		["/etc/nats", fileURLToPath(new URL("../../deploy/nats", import.meta.url))],
		["/data", join(folder, "data")],
		["/run/secrets", join(folder, "secrets")],
		["/run.yaml", join(folder, "run.yaml")],
		["/runs/run", join(folder, "out")],
	];
	return {
		out: join(folder, "out"),
		cache: join(folder, "cache"),
		localize: (text) => replacements.reduce((before, [found, local]) => before.replaceAll(found, local), text),
	};
}

/** Starts a service's command. @param image the entry point of the image, if the service doesn't replace it */
export function startService(service: Service, { localize, cache }: LocalSetup, image: readonly string[]) {
	const [program = "", ...args] = [...(service.entrypoint ?? image), ...(service.command ?? [])].map(localize);
	const env = Object.fromEntries(Object.entries(service.environment).map(([name, value]) => [name, localize(value)]));
	return execa(program, args, { env: { ...env, XDG_CACHE_HOME: cache }, reject: false });
}

/** Runs a container's health check. Returns whether the service is healthy. */
export async function isHealthy({ healthcheck }: Service, { localize }: LocalSetup): Promise<boolean> {
	const [kind, program = "", ...args] = (healthcheck?.test ?? []).map(localize);
	if (kind !== "CMD") throw new Error(`health check of kind ${kind}`);
	return !(await execa(program, args, { reject: false })).failed;
}

async function freePort(): Promise<number> {
	const server = createServer().listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	server.close();
	return port;
}
