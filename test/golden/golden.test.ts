import test from "ava";
import { openGoldenFolder } from "./golden-folder.ts";
import { findEngines, runCase } from "./run-golden.ts";

const folder = await openGoldenFolder(import.meta.dirname);

for (const engine of await findEngines()) {
	for (const golden of folder.set.cases) {
		test.serial(`${engine.name} agrees with PyTorch: ${golden.name}`, async (t) => {
			const { passed, line } = await runCase(folder, golden, engine);
			t.true(passed, line);
		});
	}
}
