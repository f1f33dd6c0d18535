import { fileURLToPath } from "node:url";
import test from "ava";
import { execa } from "execa";
import { inspectEngines } from "../../../../worker/engine/inspect-engines.ts";

const program = fileURLToPath(new URL("./program.ts", import.meta.url));

const usable = (await inspectEngines()).filter((report) => report.usable);

const LOADER = new URL("../../../load-typescript.mjs", import.meta.url).href;

/** Starts a program from another folder: the result must not depend on flags or on the working folder. */
function start(file: string, ...args: string[]) {
	return execa(process.execPath, [`--import=${LOADER}`, file, ...args], {
		cwd: "/",
		reject: false,
	});
}

const run = (...args: string[]) => start(program, ...args);

for (const { engine, backend } of usable) {
	test(`a process ends by itself while a thread of ${engine} ${backend} is idle`, async (t) => {
		const { exitCode, signal, stdout, stderr } = await run(engine, backend);
		t.deepEqual({ exitCode, signal, stdout }, { exitCode: 0, signal: undefined, stdout: "2 logits" });
		// TensorFlow itself writes to stderr as it starts.
		if (backend !== "tensorflow") t.is(stderr, "");
	});
}

for (const { engine, backend } of usable.filter(({ backend }) => backend === "tensorflow")) {
	test(`a process ends with its exit code if ${engine} ${backend} was loaded and computed nothing`, async (t) => {
		for (const code of [0, 7]) {
			const { exitCode, signal } = await run(engine, backend, String(code));
			t.deepEqual({ exitCode, signal }, { exitCode: code, signal: undefined });
		}
	});
}

test("a process can exit while its engine thread computes", async (t) => {
	const { exitCode, signal, stdout, stderr } = await run("exit");
	t.deepEqual(
		{ exitCode, signal, stdout, stderr },
		{ exitCode: 7, signal: undefined, stdout: "computing", stderr: "" },
	);
});

for (const name of ["SIGINT", "SIGTERM"] as const) {
	test(`a second ${name} ends a process at once while ONNX Runtime computes in its thread`, async (t) => {
		const running = start(fileURLToPath(new URL("./interrupted-program.ts", import.meta.url)));
		for await (const line of running) if (line === "computing" || line === "interrupted") running.kill(name);
		const { signal, stdout, stderr } = await running;
		t.deepEqual({ signal, stdout, stderr }, { signal: name, stdout: "computing\ninterrupted\nexit", stderr: "" });
	});
}

test("an uncaught error ends a process with its exit code while ONNX Runtime computes in its thread", async (t) => {
	const running = start(fileURLToPath(new URL("./interrupted-program.ts", import.meta.url)), "fail");
	const { exitCode, signal, stdout, stderr } = await running;
	const expected = { exitCode: 2, signal: undefined, stdout: "computing\nuncaught\nexit", stderr: "" };
	t.deepEqual({ exitCode, signal, stdout, stderr }, expected);
});
