import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { ClassifierClient } from "../../proto/gen/tailtune/v1/Classifier.ts";
import { readAll } from "../../worker/exchange/read.ts";
import type { BenchContext, Table } from "./bench.ts";
import { type BenchTexts, benchDataset, writeBenchTexts } from "./bench-texts.ts";
import type { BenchOptions } from "./benches.ts";
import { measureInTurn, median, type Side, spread } from "./measure-in-turn.ts";
import { runMeasured } from "./measured-process.ts";
import { THREADS } from "./tailtune-run.ts";

const reportSchema = z.object({ messages_per_second: z.number() });

/** Servers, model and texts of the measurement. */
export interface BatchBench {
	/** Clients of our servers, by the servers' setting. */
	readonly clients: Readonly<Record<string, ClassifierClient>>;
	/** Folder of the model. */
	readonly weights: string;
	/** Folder in which to write the texts. */
	readonly folder: string;
	readonly options: Pick<BenchOptions, "data" | "texts" | "python">;
}

/**
 * Measures the throughput of a whole test set: ours over a gRPC stream, the peer's grouped by length in its process.
 */
export async function measureBatches({ peers, repeats, log }: BenchContext, bench: BatchBench): Promise<Table> {
	const { clients, weights, folder, options } = bench;
	const sets = await writeBenchTexts(await benchDataset(options.data, options.texts), join(folder, "texts"));
	const texts = await readTestTexts(sets);
	const peer = (engine: string, aim?: number) => ({
		engine,
		aim,
		measure: async () => {
			const flags = ["--weights", weights, "--data", sets.folder, "--threads", `${THREADS}`, "--repeat", "1"];
			const args = [join(peers ?? "", "serve.py"), "--offline", "--engine", engine, ...flags];
			const { stdout } = await runMeasured({ file: options.python, args });
			return reportSchema.parse(JSON.parse(stdout)).messages_per_second;
		},
	});
	const others = peers === undefined ? [] : [peer("hf", 1.3), peer("fast")];
	const ours = Object.entries(clients).map(([kind, client]) => ({ kind, measure: () => streamAll(client, texts) }));
	const sides: Side<number>[] = [
		...ours.map(({ kind, measure }) => ({ name: `batch, ${kind}`, measure })),
		...others.map(({ engine, measure }) => ({ name: `batch, ${engine}`, measure })),
	];
	const rates = await measureInTurn(sides, repeats, log);
	const rows = ours.flatMap(({ kind }) => {
		const own = rates.get(`batch, ${kind}`) ?? [];
		const values = { "our texts/s": median(own), "our spread": spread(own) };
		if (others.length === 0) return [{ figure: kind, values }];
		return others.map(({ engine, aim }) => {
			const other = rates.get(`batch, ${engine}`) ?? [];
			const ratio = median(own) / median(other);
			const compared = { ratio, ...values, "peer texts/s": median(other), "peer spread": spread(other) };
			const judged = aim === undefined ? {} : { aim: `at least ${aim} times`, reached: ratio >= aim };
			return { figure: `${kind} against serve.py --engine ${engine}`, values: compared, ...judged };
		});
	});
	return { title: `${texts.length} texts at once`, rows };
}

async function readTestTexts({ folder }: BenchTexts): Promise<string[]> {
	const lines = (await readFile(join(folder, "test.jsonl"), "utf8")).trimEnd().split("\n");
	return lines.map((line) => z.object({ text: z.string() }).parse(JSON.parse(line)).text);
}

/** Returns texts per second. */
async function streamAll(client: ClassifierClient, texts: readonly string[]): Promise<number> {
	const startMs = performance.now();
	const call = client.ClassifyStream();
	for (const text of texts) call.write({ text });
	call.end();
	let answers = 0;
	for await (const _ of readAll(call)) answers++;
	if (answers !== texts.length) throw new Error(`${answers} answers, expected ${texts.length}`);
	return (1000 * answers) / (performance.now() - startMs);
}
