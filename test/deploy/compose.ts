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

/** What the tests look at of compose.yaml. */
export const composeFile = z.looseObject({
	services: z.strictObject({ nats: service, coordinator: service, worker: service, "gpu-worker": service }),
	secrets: z.record(z.string(), z.object({ file: z.string() })),
	volumes: z.record(z.string(), z.null()),
});

export type Service = z.infer<typeof service>;

/** The file as YAML has it, with merge keys applied. */
export async function readCompose(): Promise<unknown> {
	return parse(await readFile(new URL("../../deploy/compose.yaml", import.meta.url), "utf8"), { merge: true });
}

/** What stands on this machine in the place of what the containers have. */
export interface Place {
	/** Folder of the run's results. */
	readonly out: string;
	/** Folder for caches. */
	readonly cache: string;
	/** What a text of the file reads here: other hosts, ports and folders. */
	here(text: string): string;
}

/** @param app what the image has in /app @param config the run's */
export async function makePlace(
	app: string,
	config: object,
	secrets: Readonly<Record<string, string>>,
): Promise<Place> {
	const folder = await newFolder();
	const [nats, monitoring, tensors] = [await freePort(), await freePort(), await freePort()];
	await mkdir(join(folder, "secrets"));
	for (const [name, secret] of Object.entries(secrets)) await writeFile(join(folder, "secrets", name), `${secret}\n`);
	await writeFile(join(folder, "run.yaml"), stringify(config));
	const replacements: readonly [found: string, here: string][] = [
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
		here: (text) => replacements.reduce((before, [found, here]) => before.replaceAll(found, here), text),
	};
}

/** Starts what a service runs, behind what its image runs in any case. */
export function startService(service: Service, { here, cache }: Place, image: readonly string[]) {
	const [program = "", ...args] = [...(service.entrypoint ?? image), ...(service.command ?? [])].map(here);
	const env = Object.fromEntries(Object.entries(service.environment).map(([name, value]) => [name, here(value)]));
	return execa(program, args, { env: { ...env, XDG_CACHE_HOME: cache }, reject: false });
}

/** Asks as a container's health check does; whether it says that the service is well. */
export async function isHealthy({ healthcheck }: Service, { here }: Place): Promise<boolean> {
	const [kind, program = "", ...args] = (healthcheck?.test ?? []).map(here);
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
