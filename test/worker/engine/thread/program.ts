// Run by process.test.ts: opens engines in a thread, computes, and doesn't end the thread. Its arguments are the engine
// and the backend, and an exit code if it should compute nothing; or only "exit", to exit while a fake engine computes.
import { fileURLToPath } from "node:url";
import { openModel } from "../../../../shared/model/open-model.ts";
import { parameterLayout } from "../../../../shared/model/parameter-layout.ts";
import { plainTail } from "../../../../shared/model/tail-spec.ts";
import type { EngineChoice } from "../../../../shared/worker-port/engine-choice.ts";
import { ThreadEngines } from "../../../../worker/engine/thread/thread-engines.ts";
import { COMPUTES_UNTIL_STOPPED } from "./fake-thread-engines.ts";

const [what, backend = "auto", code] = process.argv.slice(2) as [string, EngineChoice["backend"]?, string?];
const isReal = what === "onnx" || what === "tfjs";
const fakes = new URL("./fake-thread-engines.ts", import.meta.url);
const engines = isReal ? new ThreadEngines() : new ThreadEngines(fakes);
const model = await openModel(fileURLToPath(new URL("../../../golden", import.meta.url)));
const spec = plainTail("TRAINABLE_LAST_BLOCK", 2);
const choice = { engine: isReal ? what : "auto", backend, threads: 2 } satisfies EngineChoice;
if (code !== undefined) {
	await engines.describeEngines(choice);
	process.exit(Number(code));
}
const { trunk, tail } = await engines.openEngines(model, spec, choice);
const { size } = parameterLayout(spec, model.config);
const tokens = Uint32Array.of(1, 2, 3);
const [hidden = new Float32Array(0)] = (await trunk?.hiddenStates([tokens])) ?? [];
const inputs = [{ hidden, tokens, poolFrom: 2, poolCount: 1, targets: Float32Array.of(1, 0) }];

if (isReal) {
	await tail.load(new Float32Array(size).fill(0.01));
	console.log(`${(await tail.logits(inputs)).length} logits`);
} else {
	const parameters = new Float32Array(new SharedArrayBuffer(4 * size));
	const flags = new Int32Array(parameters.buffer);
	flags[0] = COMPUTES_UNTIL_STOPPED;
	await tail.load(parameters);
	tail.logits(inputs).catch(() => {});
	while (Atomics.load(flags, 0) !== 1) await new Promise((resolve) => setImmediate(resolve));
	console.log("computing");
	process.exit(7);
}
