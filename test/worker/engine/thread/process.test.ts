import { fileURLToPath } from "node:url";
import test from "ava";
import { execa } from "execa";

const program = fileURLToPath(new URL("./program.ts", import.meta.url));

/** A program of its own, run from another folder: nothing may hang on flags or on where it is started. */
function run(...args: string[]) {
	return execa(process.execPath, [`--import=${import.meta.resolve("tsx")}`, program, ...args], {
		cwd: "/",
		reject: false,
	});
}

for (const engine of ["onnx", "tfjs"]) {
	test(`a process ends by itself beside an idle thread of ${engine}`, async (t) => {
		const { exitCode, signal, stdout, stderr } = await run(engine);
		t.deepEqual(
			{ exitCode, signal, stdout, stderr },
			{ exitCode: 0, signal: undefined, stdout: "2 logits", stderr: "" },
		);
	});
}

test("a process can exit while its thread computes", async (t) => {
	const { exitCode, signal, stdout, stderr } = await run("exit");
	t.deepEqual(
		{ exitCode, signal, stdout, stderr },
		{ exitCode: 7, signal: undefined, stdout: "computing", stderr: "" },
	);
});
