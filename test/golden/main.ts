import { parseArgs } from "node:util";
import { exitCodeOf } from "../../shared/errors.ts";
import { openGoldenFolder } from "./golden-folder.ts";
import { findEngines, runGolden } from "./run-golden.ts";

// npm run golden -- DIR [--engine onnx|tfjs] [--backend cpu|wasm|tensorflow|cuda...]
try {
	const { values, positionals } = parseArgs({
		allowPositionals: true,
		options: { engine: { type: "string" }, backend: { type: "string" } },
	});
	const folder = await openGoldenFolder(positionals[0] ?? import.meta.dirname);
	const passed = await runGolden(folder, await findEngines(values), console.log);
	process.exitCode = passed ? 0 : 1;
} catch (error) {
	console.error(`golden: ${(error as Error).message}`);
	process.exitCode = exitCodeOf(error);
}
