import { fileURLToPath } from "node:url";
import test from "ava";
import { execa } from "execa";
import type { EngineReport } from "../../../shared/worker-port/engine-report.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Inspects the engines in a process in which a library can't be loaded. */
async function inspectWithout(library: string): Promise<EngineReport[]> {
	const program = `
		import { inspectEngines } from "./worker/engine/inspect-engines.ts";
		process.stdout.write(JSON.stringify(await inspectEngines()));
	`;
	const preloaded = ["--import=./test/break-libraries.mjs", "--import=tsx", "--input-type=module"];
	const { stdout } = await execa(process.execPath, [...preloaded, "--eval", program], {
		cwd: root,
		env: { BROKEN_LIBRARY: library },
	});
	return JSON.parse(stdout.slice(stdout.indexOf("[")));
}

test("an engine whose native library can't be loaded is reported with the reason, and the others are reported too", async (t) => {
	const reports = await inspectWithout("onnxruntime_binding");
	const reason =
		"onnx: ONNX Runtime can't be loaded: libmissing.so.1: cannot open shared object file: No such file or directory";
	for (const { engine, usable, detail } of reports) {
		if (engine !== "onnx") continue;
		t.false(usable);
		t.true(detail.startsWith(reason), detail);
	}
	t.like(
		reports.find(({ backend }) => backend === "wasm"),
		{ engine: "tfjs", usable: true },
	);
});
