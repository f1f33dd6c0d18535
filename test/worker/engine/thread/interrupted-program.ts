import { plainTail } from "../../../../shared/model/tail-spec.ts";
// Run by process.test.ts: ONNX Runtime computes in a thread until the second Ctrl-C, or until an uncaught error (with
// the argument "fail").

import { resolveModel } from "../../../../coordinator/base-model/resolve-model.ts";
import { guardProcess } from "../../../../coordinator/cli/uncaught-errors.ts";
import { TailtuneError } from "../../../../shared/errors.ts";
import { openModel } from "../../../../shared/model/open-model.ts";
import { createInterruptSignal } from "../../../../shared/processes/interrupt.ts";
import { ThreadEngines } from "../../../../worker/engine/thread/thread-engines.ts";

guardProcess((error) => console.log((error as Error).message));
createInterruptSignal().addEventListener("abort", () => console.log("interrupted"));
process.once("exit", () => console.log("exit"));
const spec = plainTail("TRAINABLE_LAST_BLOCK", 2);
const choice = { engine: "onnx", backend: "auto", threads: 1 } as const;
const { trunk } = await new ThreadEngines().openEngines(await openModel(await resolveModel("demo")), spec, choice);
const texts = Array.from({ length: 64 }, (_, text) => Uint32Array.from({ length: 256 }, (_, i) => text + i));
await trunk?.hiddenStates(texts);
console.log("computing");
if (process.argv[2] === "fail") {
	setImmediate(() => {
		throw new TailtuneError("usage", "uncaught");
	});
}
for (;;) await trunk?.hiddenStates(texts);
