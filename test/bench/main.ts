import { mkdir } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import { dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { exitCodeOf, TailtuneError } from "../../shared/errors.ts";
import { writeJson } from "../../shared/files/write-atomic.ts";
import { countPhysicalCores } from "../../shared/vectors/physical-cores.ts";
import type { Bench, BenchContext, Table } from "./bench.ts";
import { listBenches } from "./benches.ts";
import { formatTable } from "./print-tables.ts";

// npm run bench -- [NAME ...] [--peers DIR] [--python BIN] [--repeats N] [--data FILE] [--texts N] [--full] [--json
// FILE]
try {
	const { values, positionals } = parseArgs({
		allowPositionals: true,
		options: {
			peers: { type: "string" },
			python: { type: "string", default: "python3" },
			repeats: { type: "string", default: "3" },
			data: { type: "string" },
			texts: { type: "string", default: "1494" },
			full: { type: "boolean", default: false },
			json: { type: "string" },
		},
	});
	const { python, data, full } = values;
	const texts = wholeNumber("texts", values.texts);
	const benches = chosen(positionals, listBenches({ python, data, full, texts }));
	const repeats = wholeNumber("repeats", values.repeats);
	await runBenches(benches, { repeats, peers: values.peers, log: console.error }, values.json);
} catch (error) {
	console.error(`bench: ${(error as Error).message}`);
	process.exitCode = exitCodeOf(error);
}

function wholeNumber(flag: string, value: string): number {
	const number = Number(value);
	if (Number.isSafeInteger(number) && number >= 1) return number;
	throw new TailtuneError("usage", `--${flag}: found ${value}, expected a whole number from 1`);
}

function chosen(names: readonly string[], all: readonly Bench[]): readonly Bench[] {
	const unknown = names.find((name) => all.every((bench) => bench.name !== name));
	if (unknown === undefined) return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
	const known = all.map(({ name }) => name).join(", ");
	throw new TailtuneError("usage", `bench ${unknown}: no such bench, expected one of ${known}`);
}

/** Runs one bench after the other. Prints each result, and writes it as JSON, before the next bench begins. */
async function runBenches(benches: readonly Bench[], context: BenchContext, json: string | undefined): Promise<void> {
	const machine = {
		cpu: cpus()[0]?.model.trim() ?? "",
		threads: countPhysicalCores(),
		memoryBytes: totalmem(),
		node: process.version,
	};
	const report = { at: new Date().toISOString(), machine, repeats: context.repeats, benches: {} };
	const tables: Record<string, readonly Table[]> = report.benches;
	for (const { name, run } of benches) {
		tables[name] = await run(context);
		for (const table of tables[name]) console.log(`\n${formatTable(table)}`);
		if (json === undefined) continue;
		await mkdir(dirname(resolve(json)), { recursive: true });
		await writeJson(json, report);
	}
}
