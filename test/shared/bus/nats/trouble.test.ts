import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { NatsError } from "nats";
import { isTransient, troubleOf } from "../../../../shared/bus/nats/trouble.ts";
import { type Notice, Notices } from "../../../../shared/notices.ts";
import { newFolder } from "../../../new-folder.ts";
import { someItem, someRun } from "../messages.ts";
import { startCluster } from "./nats-cluster.ts";

test("a full store is reported, and a waiting item is stored when there is space again", async (t) => {
	const config = join(await newFolder(), "nats.conf");
	await writeFile(config, "jetstream: { max_file_store: 1MB, max_memory_store: 1MB }\n");
	const { raw, connect } = await startCluster(t, config);
	const reported: Notice[] = [];
	let wake = () => {};
	const notices = new Notices((notice) => {
		reported.push(notice);
		wake();
	});
	const next = () =>
		new Promise<void>((resolve) => {
			wake = resolve;
		});
	const coordinator = await connect({ notices });
	await coordinator.announce(someRun());
	const { streams } = await raw.jetstreamManager();
	await streams.add({ name: "filler", subjects: ["filler"] });
	const js = raw.jetstream();
	const fill = async () => {
		for (;;) await js.publish("filler", Buffer.alloc(50_000));
	};
	await t.throwsAsync(fill(), { code: "503" });
	const [begun, publishing] = [next(), coordinator.publish(someItem(), new AbortController().signal)];
	await begun;
	t.like(reported[0], { kind: "store-full", state: "begun" });
	t.regex(
		reported[0]?.text ?? "",
		/^NATS at nats:\S+ stores no more messages \(insufficient resources\); it needs more room/,
	);
	const over = next();
	await streams.delete("filler");
	await Promise.all([over, publishing]);
	t.like(reported[1], { kind: "store-full", state: "over" });
});

// Codes and texts of nats-server's list of errors, server/errors.json.
const API_ERRORS = [
	[10009, 500, "JetStream cluster can not handle request", true],
	[10118, 500, "stream is offline", true],
	[10119, 500, "consumer is offline", true],
	[10158, 409, "duplicate message id is in process", true],
	[10167, 429, "too many requests", true],
	[10008, 503, "JetStream system temporarily unavailable", true],
	[10058, 400, "stream name already in use with a different configuration", false],
	[10003, 400, "bad request", false],
] as const;

test("errors of a cluster that isn't ready are retried, and reported as no answer; wrong requests fail", (t) => {
	for (const [err_code, code, description, isRetried] of API_ERRORS) {
		const error = new NatsError(description, String(code));
		error.api_error = { code, err_code, description };
		t.is(isTransient(error), isRetried, description);
		if (isRetried) t.like(troubleOf(error, "NATS", true), { kind: "no-answer" }, description);
	}
});
