import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { denseViews, factorViews } from "../../shared/updates/gradient-form.ts";
import type { Tail, Trunk } from "../../worker/engine/engine.ts";
import { openEngines } from "../../worker/engine/open-engines.ts";
import { checkCase, type GoldenEngine } from "./check-golden.ts";
import { openGoldenFolder } from "./golden-folder.ts";
import { usedShare } from "./measure.ts";
import { runGolden } from "./run-golden.ts";

const folder = await openGoldenFolder(import.meta.dirname);

function caseOf(name: string) {
	const golden = folder.set.cases.find((one) => one.name === name);
	if (!golden) throw new Error(`no case ${name}`);
	return golden;
}

/** A correct engine with some methods of its tail or trunk replaced. */
function faultyEngine(faults: {
	tail?: (tail: Tail) => Partial<Tail>;
	trunk?: (trunk: Trunk) => Partial<Trunk>;
}): GoldenEngine {
	return {
		name: "faulty",
		async open(model, spec) {
			const { trunk, tail } = await openEngines(model, spec, { engine: "tfjs", backend: "wasm", threads: 1 });
			const bound = { info: tail.info, ...methodsOf(tail, ["load", "logits", "gradient", "dispose"]) };
			return {
				trunk: trunk && { ...trunk, ...faults.trunk?.(trunk) },
				tail: { ...bound, ...faults.tail?.(tail) },
			};
		},
	};
}

function methodsOf<T extends object, K extends keyof T>(object: T, names: readonly K[]): Pick<T, K> {
	const bind = (name: K) => [name, (...args: unknown[]) => (object[name] as (...all: unknown[]) => unknown)(...args)];
	return Object.fromEntries(names.map(bind));
}

/** Names of the comparisons that failed. */
async function failures(name: string, engine: GoldenEngine): Promise<string[]> {
	const measured = await checkCase(folder, caseOf(name), engine);
	return measured.filter((one) => !(usedShare(one) <= 1)).map(({ what }) => what);
}

/** An engine that changes one entry of a parameter's gradient. @param change gets the entry and the largest one */
function withGradientEntry(parameter: string, change: (value: number, largest: number) => number, at = 0) {
	return faultyEngine({
		tail: (tail) => ({
			async gradient(inputs, form, gradient) {
				const logits = await tail.gradient(inputs, form, gradient);
				const own = denseViews(form, gradient).get(parameter) ?? new Float32Array(0);
				const largest = own.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
				own[at] = change(own[at] ?? 0, largest);
				return logits;
			},
		}),
	});
}

test.serial("an unchanged engine passes", async (t) => {
	t.deepEqual(await failures("main", faultyEngine({})), []);
});

test.serial("a gradient entry off by a thousandth of the largest is found", async (t) => {
	const engine = withGradientEntry("h.2.mlp.c_fc.weight", (value, largest) => value + largest / 1000, 77);
	t.true((await failures("main", engine)).includes("grad/h.2.mlp.c_fc.weight"));
});

test.serial("a factor off by a thousandth of the largest is found", async (t) => {
	for (const index of [0, 1, 2]) {
		const engine = faultyEngine({
			tail: (tail) => ({
				async gradient(inputs, form, gradient) {
					const logits = await tail.gradient(inputs, form, gradient);
					const { left } = factorViews(form, gradient, inputs.length).find(({ block }) => block.index === index) ?? {};
					for (const [i, number] of left?.entries() ?? []) (left as Float32Array)[i] = number * 1.001;
					return logits;
				},
			}),
		});
		const found = await failures("main", engine);
		t.true(found.every((what) => what.startsWith("product of factors: grad/h.2.attn.c_attn.weight")));
		t.true(found.length > 0);
	}
});

test.serial("a wrong gradient entry that a thinned set leaves out is found by the statistics", async (t) => {
	const engine = withGradientEntry("h.2.mlp.c_fc.weight", (value, largest) => value + 2 * largest, 1);
	const found = await failures("last", engine);
	t.false(found.includes("grad/h.2.mlp.c_fc.weight"));
	t.true(found.includes("grad/h.2.mlp.c_fc.weight root of squares"));
});

test.serial("a NaN in a gradient is found, also in the following steps", async (t) => {
	const found = await failures(
		"head",
		withGradientEntry("score.bias", () => Number.NaN),
	);
	t.true(found.includes("grad/score.bias"));
	t.true(found.includes("after/score.bias"));
	t.true(found.includes("loss after 1 steps"));
});

test.serial("a gradient that should be zero is found", async (t) => {
	const engine = withGradientEntry("h.2.attn.c_attn.bias", () => 1e-5, 48);
	t.true((await failures("main", engine)).includes("grad/h.2.attn.c_attn.bias noise"));
});

test.serial("a logit off by 1e-4 is found", async (t) => {
	const tail = (tail: Tail): Partial<Tail> => ({
		logits: async (inputs) => (await tail.logits(inputs)).map((logit, i) => (i === 3 ? logit + 1e-4 : logit)),
	});
	t.deepEqual(await failures("main", faultyEngine({ tail })), ["logits without gradient"]);
});

test.serial("a tail that ignores new parameters is found", async (t) => {
	let loads = 0;
	const tail = (tail: Tail): Partial<Tail> => ({ load: async (p) => (loads++ === 0 ? tail.load(p) : undefined) });
	t.true((await failures("head", faultyEngine({ tail }))).includes("loss after 1 steps"));
});

test.serial("a trunk whose hidden states are off by a thousandth is found", async (t) => {
	const trunk = (trunk: Trunk): Partial<Trunk> => ({
		hiddenStates: async (texts) => (await trunk.hiddenStates(texts)).map((states) => states.map((x) => x * 1.001)),
	});
	t.true((await failures("main", faultyEngine({ trunk }))).includes("features"));
});

test.serial("a run with one changed golden number fails and counts the failure in its last line", async (t) => {
	const copy = await mkdtemp(join(tmpdir(), "tailtune-golden-"));
	t.teardown(() => rm(copy, { recursive: true }));
	await cp(import.meta.dirname, copy, { recursive: true, filter: (path) => !path.endsWith(".ts") });
	const set = JSON.parse(await readFile(join(copy, "cases.json"), "utf8"));
	set.cases = set.cases.filter(({ name }: { name: string }) => name === "head" || name === "first");
	set.cases[0].losses[0] += 1e-3;
	await writeFile(join(copy, "cases.json"), JSON.stringify(set));
	const lines: string[] = [];
	t.false(await runGolden(await openGoldenFolder(copy), [faultyEngine({})], (line) => lines.push(line)));
	t.is(lines.length, 3);
	t.regex(lines[0] ?? "", /^FAIL faulty +first .*loss after 0 steps/);
	t.regex(lines[1] ?? "", /^ok {3}faulty +head /);
	t.regex(lines[2] ?? "", /^1 of 2 passed .*loss after 0 steps/);
});

test.serial("a folder without a golden set is refused in one line", async (t) => {
	const { message } = await t.throwsAsync(openGoldenFolder(join(import.meta.dirname, "nowhere")));
	t.regex(message, /^.*nowhere.cases\.json: ENOENT[^\n]*$/);
});
