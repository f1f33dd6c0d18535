import { z } from "zod";
import { localRuns } from "../run-folder/local-runs.ts";
import { comparison } from "./comparison-schema.ts";
import { dataReport } from "./data-report.ts";
import { classificationSchema, count, event, eventsAsLines, share, workerSchema } from "./schemas.ts";

/** Schema of a run of a cluster: `RunView` of shared/bus/bus.ts. */
const runViewSchema = z.strictObject({
	spec: z
		.object({ runId: z.string().describe("id of the run"), shards: count.describe("shards of the run") })
		.describe("description of the run for workers: `RunSpec` of `proto/tailtune/v1/work.proto`"),
	assignments: z
		.array(
			z.strictObject({
				runId: z.string().describe("id of the run"),
				shard: count.describe("number of the shard, from 0"),
				workerId: z.string().describe("id of the worker"),
			}),
		)
		.readonly()
		.describe("the worker of each shard"),
	progress: z
		.object({
			host: z.string().describe("host of the coordinator"),
			folder: z.string().describe("folder of the run on that host"),
			phase: z.string().describe("the phase that was reported last"),
			done: count.describe("units of the phase done so far"),
			total: count.describe("total units of the phase; 0 if unknown"),
			unit: z.string().describe("the unit, for example `steps`"),
			epoch: count.describe("epochs finished"),
			epochs: count.describe("epochs planned"),
			validation: z
				.strictObject({ loss: z.number(), accuracy: share })
				.nullable()
				.describe("the last epoch's scores; null before the end of the first one"),
			notices: z.array(z.string()).readonly().describe("problems that the run has now"),
			name: z.string().describe("`--name` of the run, or empty"),
			model: z.string().describe("`--model` of the run"),
			data: z.string().describe("`--data` or `--train` of the run"),
			startedAtMs: count.describe("when its process started or resumed it, in milliseconds since 1970 (UTC)"),
			secondsLeft: z.number().min(0).describe("estimated time until the end of the phase; 0 if unknown"),
		})
		.optional()
		.describe("the coordinator's last report; missing if its heartbeats have stopped"),
});

const queryLines = [
	event(
		"classification",
		"The predicted label of a text: a result of `tailtune classify`.",
		classificationSchema.shape,
	),
	event("runs", "The runs of a cluster: the result of `tailtune runs`, again after each change with `--watch`.", {
		runs: z.array(runViewSchema).readonly().describe("all runs, or only the requested run"),
	}),
	event(
		"local-runs",
		"The runs of a folder on this machine: the result of `tailtune runs` without `--nats`, again after each change with `--watch`.",
		localRuns,
	),
	event("workers", "The workers of a cluster: the result of `tailtune workers`.", {
		workers: z
			.array(workerSchema.extend({ shards: runViewSchema.shape.assignments.describe("shards of the worker") }))
			.readonly()
			.describe("all workers"),
	}),
	event("comparison", "Finished runs were compared: the result of `tailtune compare`.", comparison),
	event("export", "A model was exported: the result of `tailtune export`.", {
		format: z.string().describe("the format"),
		folder: z.string().describe("the folder"),
	}),
	event("push", "A model was uploaded to the Hugging Face hub: the result of `tailtune push`.", {
		url: z.string().describe("address of the repository"),
		commit: z.string().optional().describe("commit with the files; missing with `--dry-run`"),
		files: z
			.array(
				z.strictObject({
					path: z.string().describe("path in the repository"),
					bytes: count.describe("size of the file"),
				}),
			)
			.readonly()
			.describe("the files of the model"),
	}),
	event("doctor", "Engines, threads, memory and speed of this machine: the result of `tailtune doctor`.", {
		node: z.string().describe("version of Node.js"),
		platform: z.string().describe("operating system and processor"),
		threads: count.describe("default number of threads: physical cores"),
		memoryBytes: count.describe("memory of the machine"),
		freeMemoryBytes: count.describe("free memory"),
		engines: z
			.array(
				z.strictObject({
					engine: z.string().describe("`onnx` or `tfjs`"),
					backend: z.string().describe("backend of the engine, for example `cpu` or `wasm`"),
					usable: z.boolean().describe("whether it works on this machine"),
					detail: z.string().describe("version, or the reason why it can't be used and how to install it"),
				}),
			)
			.readonly()
			.describe("every engine, the preferred one first"),
		rates: z
			.array(
				z.strictObject({
					precision: z.string().describe("precision of the matrix products: `fp32` or `int8`"),
					threads: count.describe("threads used"),
					productsGflops: z.number().describe("matrix products alone"),
					trunkGflops: z.number().describe("whole blocks"),
				}),
			)
			.readonly()
			.describe("measured speeds, in 10^9 operations per second"),
		unmeasured: z.string().optional().describe("why there are no rates"),
	}),
	event(
		"data-report",
		"Format, columns and possible faults of data: the result of `tailtune doctor DATA`.",
		dataReport,
	),
] as const;

/** Schema of a line on standard output with `--json`. */
export const jsonLineSchema = z.discriminatedUnion("event", [...eventsAsLines, ...queryLines]);

/** A line on standard output with `--json`. */
export type JsonLine = z.infer<typeof jsonLineSchema>;

/** Schema of the line on standard error with `--json` if a command fails. */
export const errorLineSchema = z.strictObject({
	error: z
		.strictObject({
			code: z.string().describe("one of the error codes below, or `internal` for an error in Tailtune itself"),
			message: z.string().describe("the message, on one line"),
			stack: z.string().optional().describe("stack of the error, with `--debug`"),
		})
		.describe("the error"),
});
