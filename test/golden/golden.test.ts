import test from "ava";
import { openGoldenFolder } from "./golden-folder.ts";
import { findEngines, runCase } from "./run-golden.ts";
import { assertVariant, assertVariantExports, VARIANTS } from "./variants/check-variant.ts";

const folder = await openGoldenFolder(import.meta.dirname);

const engines = await findEngines();

for (const engine of engines) {
	for (const golden of folder.set.cases) {
		test.serial(`${engine.name} agrees with PyTorch: ${golden.name}`, async (t) => {
			const { passed, line } = await runCase(folder, golden, engine);
			t.true(passed, line);
		});
	}
}

for (const variant of VARIANTS) {
	const title = JSON.stringify(variant.config);
	for (const engine of variant.isAlias ? engines.slice(0, 1) : engines)
		test.serial(`${engine.name} agrees with transformers: ${title}`, (t) => assertVariant(t, variant, engine));
	if (!variant.isAlias)
		test.serial(`int8 features and exports agree with transformers: ${title}`, (t) => assertVariantExports(t, variant));
}
