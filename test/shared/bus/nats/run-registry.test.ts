import test from "ava";
import { headers } from "nats";
import { RETIRED_KEPT, RETIRED_KNOWN } from "../../../../shared/bus/nats/config.ts";
import { RunRegistry, type RunRegistryParts } from "../../../../shared/bus/nats/run-registry.ts";
import { NatsNames } from "../../../../shared/bus/nats/subjects.ts";

test("a process that runs for a long time remembers a limited number of retired runs", async (t) => {
	const names = new NatsNames();
	const purged: string[] = [];
	const streams = { purge: async (_: string, subject: string) => void purged.push(subject) };
	const parts = { names, streams, inboxPrefix: "inbox", graceMs: 1000, refuse: () => t.fail() };
	const registry = new RunRegistry(parts as unknown as RunRegistryParts);
	const retired = headers();
	retired.set("KV-Operation", "DEL");
	const runs = Array.from({ length: 3 * RETIRED_KNOWN }, (_, i) => names.run(`run-${i}`));
	for (const [i, subject] of runs.entries()) {
		registry.onKeyChanged({ subject, seq: i + 1, data: Buffer.from("retired"), headers: retired });
	}
	await registry.removeOldMarks();
	t.deepEqual(purged, runs.slice(-RETIRED_KNOWN, -RETIRED_KEPT));
	registry.end();
});
