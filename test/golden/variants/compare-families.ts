import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { openModel } from "../../../shared/model/open-model.ts";
import { parameterLayout, parameterViews } from "../../../shared/model/parameter-layout.ts";
import { readSafetensorsFile } from "../../../shared/model/safetensors.ts";
import { plainTail } from "../../../shared/model/tail-spec.ts";
import { gradientForm } from "../../../shared/updates/gradient-form.ts";
import type { GoldenEngine } from "../check-golden.ts";
import { relativeGap } from "../measure.ts";
import { findEngines } from "../run-golden.ts";
import { CLASSES, INPUTS } from "./check-variant.ts";

// npx tsx test/golden/variants/compare-families.ts DIR: prints a row per model in DIR, for docs/models.md.
const spec = plainTail("TRAINABLE_LAST_BLOCK", CLASSES);
const [root = ""] = process.argv.slice(2);

async function compare(folder: string, engine: GoldenEngine): Promise<string> {
	const model = await openModel(folder);
	const expected = await readSafetensorsFile(join(folder, "expected.safetensors"));
	const layout = parameterLayout(spec, model.config);
	const parameters = new Float32Array(layout.size);
	for (const [name, values] of parameterViews(layout, parameters)) values.set(await model.read(name));
	const { trunk, tail } = await engine.open(model, spec);
	const hidden = await trunk?.hiddenStates(INPUTS.map(({ tokens }) => tokens));
	await tail.load(parameters);
	const inputs = INPUTS.map((input, i) => ({ ...input, hidden: hidden?.[i] ?? new Float32Array(0) }));
	const gradient = new Float32Array(layout.trainedSize);
	const logits = await tail.gradient(inputs, gradientForm(spec, model.config, 0), gradient);
	await Promise.all([trunk?.dispose(), tail.dispose()]);
	const whole = await expected.read("gradient");
	const gaps = [
		relativeGap(logits, await expected.read("logits")),
		relativeGap(gradient, whole.subarray(whole.length - gradient.length)),
	];
	return gaps.map((gap) => gap.toExponential(1)).join(" / ");
}

const engines = (await findEngines()).filter(({ name }) => name !== "tfjs cpu");
console.log(`| model | ${engines.map(({ name }) => name).join(" | ")} |`);
for (const name of await readdir(root)) {
	const cells: string[] = [];
	for (const engine of engines) cells.push(await compare(join(root, name), engine));
	console.log(`| ${name} | ${cells.join(" | ")} |`);
}
