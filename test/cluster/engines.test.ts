import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { start, writeTexts } from "../cli/tailtune.ts";
import { startNatsServer } from "../nats-server.ts";
import { newFolder } from "../new-folder.ts";
import { linesOf, type RunEvent, RunProcess, startWorkerProcess } from "./processes.ts";

const BREAK = new URL("../break-libraries.mjs", import.meta.url);

test("a worker that falls back to another engine reports it, and takes no part in a run of other engines", async (t) => {
	const folder = await newFolder();
	const server = await startNatsServer();
	t.teardown(() => server.stop());
	const worker = await startWorkerProcess(server.url, join(folder, "cache"), {}, "--engine", "onnx");
	t.teardown(() => worker.end());
	const run = RunProcess.begin(await writeTexts(60), join(folder, "run"), "--nats", server.url);
	await run.reach("epoch");

	// The run is stopped until the other worker has joined, so that it doesn't end before.
	run.signal("SIGSTOP");
	const other = start(["worker", "--nats", server.url, "--threads", "1", "--backend", "wasm"], {
		XDG_CACHE_HOME: join(folder, "other"),
		NODE_OPTIONS: `--import=${fileURLToPath(BREAK)}`,
		BROKEN_LIBRARY: "onnxruntime_binding",
	});
	t.teardown(async () => {
		other.kill("SIGKILL");
		await other;
	});
	let [id, notice] = ["", ""];
	for await (const line of linesOf(other)) {
		notice ||= /notice: (tfjs computes, .*)$/.exec(line)?.[1] ?? "";
		id = /^worker (\S+) joined /.exec(line)?.[1] ?? "";
		if (id) break;
	}
	t.regex(
		notice,
		/^tfjs computes, with other bits: onnx: ONNX Runtime can't be loaded: libmissing\.so\.1: .*; --engine onnx fails/,
	);
	run.signal("SIGCONT");

	const isRefusal = ({ kind, text }: RunEvent) => kind === "engines" && String(text).includes(id);
	const { text } = await run.reach("notice", isRefusal);
	t.regex(
		String(text),
		/takes no part: found tfjs wasm \(.*\), expected onnx cpu \(.*use --mixed-engines to allow it$/,
	);
	t.is(await run.end(), "");
	const joined = run.seen.filter(({ event }) => event === "worker-joined").map(({ worker }) => JSON.stringify(worker));
	t.is(joined.length, 1);
	t.true(joined[0]?.includes(worker.id));
});
