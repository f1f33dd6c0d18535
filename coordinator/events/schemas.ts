import { z } from "zod";
import { NOTICE_KINDS, type NoticeKind } from "../../shared/notices.ts";
import {
	classScoreFields,
	classTextsSchema,
	cutSchema,
	majorityBaselineSchema,
	metricsLineSchema,
	runResultSchema,
} from "../run-folder/result.ts";

const count = z.int().min(0);
const share = z.number().min(0).max(1);

const phase = {
	name: z.string().describe("name of the phase, as in `training`, `features`, or the model that is downloaded"),
	total: count.describe("units in all; 0 if unknown"),
	unit: z.string().describe("what is counted, as in `steps`, `tokens`, `texts` and `bytes`"),
	done: count.describe("units done so far, including those of an earlier process"),
};
const seconds = z.number().min(0).describe("time since the phase began");

/** Schema of a worker as it describes itself: `WorkerInfo` of work.proto. */
export const workerSchema = z
	.strictObject({
		workerId: z.string().describe("unique id: host name and a random part"),
		trunkEngine: z.string().describe('engine of the frozen blocks, as in "onnx cpu"'),
		tailEngine: z.string().describe('engine of the trained part, as in "tfjs wasm"'),
		device: z.string().describe("processor or GPU"),
		threads: count.describe("threads that it computes with"),
		version: z.string().describe("version of the library that computes the frozen blocks"),
	})
	.describe("the worker");

const workers = {
	at: count.describe("when, in milliseconds since 1970 (UTC)"),
	worker: workerSchema,
	shards: z.record(z.string(), z.array(count).readonly()).describe("shards of each worker now, by the worker's id"),
	totalShards: count.describe("shards of the run"),
};

const classification = {
	text: z.string().describe("the text"),
	source: z.string().describe('where the text comes from, as in "file:line"'),
	label: z.string().describe("the predicted label"),
	probability: share.describe("probability of that label"),
	probabilities: z.record(z.string(), share).describe("probability of each label, by its name; the sum is 1"),
	tokens: count.describe("tokens that were read"),
	truncated: z.boolean().describe("whether the text had more tokens than were read"),
};

/** Schema of what the model predicts for one text. */
export const classificationSchema = z.strictObject(classification);

const evaluation = {
	texts: count.describe("texts evaluated"),
	cut: count.describe("texts that were longer than the limit and were cut"),
	maxTokens: count.describe("the limit, in tokens"),
	loss: z.number().min(0).describe("mean cross-entropy per text, in nats"),
	accuracy: share.describe("share of the texts that got their own label"),
	majorityBaseline: majorityBaselineSchema.describe("what always predicting one label reaches on these texts"),
	labels: z.array(z.string()).readonly().describe("names of the classes, in the order of the model's outputs"),
	confusion: z
		.array(z.array(count).readonly())
		.readonly()
		.describe("texts by true class (row) and predicted class (column), in the order of `labels`"),
	perClass: z
		.array(z.strictObject(classScoreFields))
		.readonly()
		.describe("scores of each class, in the order of `labels`"),
};

/** Schema of how a model does on labelled texts. */
export const evaluationSchema = z.strictObject(evaluation);

const describeKinds = () =>
	Object.entries(NOTICE_KINDS)
		.map(([kind, meaning]) => `${kind}: ${meaning}`)
		.join("; ");

/** Schema of one event, told from the others by `event`. */
function event<Name extends string, Shape extends z.ZodRawShape>(name: Name, description: string, shape: Shape) {
	return z.strictObject({ event: z.literal(name), ...shape }).describe(description);
}

const eventsAsLines = [
	event("line", "A remark for people.", { text: z.string().describe("the remark") }),
	event("warning", "A warning for people.", { text: z.string().describe("the warning") }),
	event("phase", "A phase of the work begins. A phase may begin within another one.", phase),
	event("progress", "Progress of a phase, at most once per second.", {
		...phase,
		seconds,
		secondsLeft: z.number().min(0).optional().describe("estimated time until the end of the phase, once it is known"),
	}),
	event("phase-done", "A phase has ended.", { ...phase, seconds }),
	event("phase-failed", "A download has ended before its last byte.", { ...phase, seconds }),
	event("notice", "Something holds the work up, or no longer does.", {
		kind: z.enum(Object.keys(NOTICE_KINDS) as [NoticeKind, ...NoticeKind[]]).describe(describeKinds()),
		state: z.enum(["begun", "over"]).describe("begun: it holds the work up; over: it no longer does"),
		text: z.string().describe("the problem, on one line"),
		seconds: z.number().min(0).describe("how long it has lasted"),
	}),
	event("texts", "The texts of the run were read.", {
		classes: z.array(classTextsSchema).readonly().describe("texts of each class, in the order of the labels"),
		cut: cutSchema,
		maxTokens: count.describe("the limit, in tokens"),
	}),
	event("step", "An evaluation between two steps of an epoch: a line of `metrics.jsonl`.", metricsLineSchema.shape),
	event("epoch", "The evaluation at the end of an epoch: a line of `metrics.jsonl`.", metricsLineSchema.shape),
	event("worker-joined", "A worker takes part in the run, for the first time or again.", workers),
	event("worker-left", "A worker no longer takes part in the run.", {
		...workers,
		reason: z
			.enum(["good-bye", "silent"])
			.describe("good-bye: it was stopped; silent: its heartbeats stopped, as after a crash"),
	}),
	event("worker-suspended", "A worker gets no work for a while.", {
		...workers,
		reason: z
			.enum(["disconnected", "failing", "idle"])
			.describe(
				"disconnected: its connection to the coordinator broke; failing: it reported an error; idle: it takes no work items",
			),
		detail: z.string().optional().describe("more about the reason"),
	}),
	event("result", "The run is finished. All other fields are those of `result.json`, see below.", {
		folder: z.string().describe("folder of the run"),
		...runResultSchema.shape,
	}),
	event("evaluation", "How a model does on labelled texts: the result of `tailtune evaluate`.", evaluation),
] as const;

/** Schema of every event of a run, and of the other commands that compute. */
export const runEventSchema = z.discriminatedUnion("event", [
	...eventsAsLines,
	event("classifications", "Predicted labels of texts, in order.", {
		results: z.array(classificationSchema).readonly().describe("one for each text"),
	}),
]);

/** Schema of a run of a cluster: `RunView` of shared/bus/bus.ts. */
const runViewSchema = z.strictObject({
	spec: z
		.object({ runId: z.string().describe("id of the run"), shards: count.describe("shards of the run") })
		.describe("what workers were told about the run: `RunSpec` of `proto/tailtune/v1/work.proto`"),
	assignments: z
		.array(
			z.strictObject({
				runId: z.string().describe("id of the run"),
				shard: count.describe("number of the shard, from 0"),
				workerId: z.string().describe("id of the worker"),
			}),
		)
		.readonly()
		.describe("which worker has each shard"),
	progress: z
		.object({
			host: z.string().describe("host of the coordinator"),
			folder: z.string().describe("folder of the run on that host"),
			phase: z.string().describe("the phase that was reported last"),
			done: count.describe("units of the phase that are done"),
			total: count.describe("units of the phase in all; 0 if unknown"),
			unit: z.string().describe("what is counted"),
			epoch: count.describe("epochs finished"),
			epochs: count.describe("epochs planned"),
			validation: z
				.strictObject({ loss: z.number(), accuracy: share })
				.nullable()
				.describe("the last epoch's scores; null before the end of the first one"),
			notices: z.array(z.string()).readonly().describe("problems that hold the run up now"),
		})
		.optional()
		.describe("the coordinator's last report; missing if nothing was heard of it lately"),
});

const queryLines = [
	event("classification", "The predicted label of a text: a result of `tailtune classify`.", classification),
	event("runs", "The runs of a cluster: the result of `tailtune runs`, again after each change with `--watch`.", {
		runs: z.array(runViewSchema).readonly().describe("all runs, or the run that was asked for"),
	}),
	event("workers", "The workers of a cluster: the result of `tailtune workers`.", {
		workers: z
			.array(workerSchema.extend({ shards: runViewSchema.shape.assignments.describe("the shards that it has") }))
			.readonly()
			.describe("all workers"),
	}),
	event("export", "A model was exported: the result of `tailtune export`.", {
		format: z.string().describe("the format"),
		folder: z.string().describe("the folder"),
	}),
	event("doctor", "What this machine computes with: the result of `tailtune doctor`.", {
		node: z.string().describe("version of Node.js"),
		platform: z.string().describe("operating system and processor"),
		threads: count.describe("threads that are used if nothing else is said: physical cores"),
		memoryBytes: count.describe("memory of the machine"),
		freeMemoryBytes: count.describe("free memory"),
		engines: z
			.array(
				z.strictObject({
					engine: z.string().describe("`onnx` or `tfjs`"),
					backend: z.string().describe("backend of the engine, as in `cpu` and `wasm`"),
					usable: z.boolean().describe("whether it works on this machine"),
					detail: z.string().describe("its version, or why it can't be used and how to install it"),
				}),
			)
			.readonly()
			.describe("every engine, the preferred one first"),
		rates: z
			.array(
				z.strictObject({
					precision: z.string().describe("numbers that it computes with: `fp32` or `int8`"),
					threads: count.describe("threads used"),
					productsGflops: z.number().describe("matrix products alone"),
					trunkGflops: z.number().describe("whole blocks"),
				}),
			)
			.readonly()
			.describe("measured speed, in 10^9 operations per second"),
		unmeasured: z.string().optional().describe("why there are no rates"),
	}),
] as const;

/** Schema of a line on standard output with `--json`. */
export const jsonLineSchema = z.discriminatedUnion("event", [...eventsAsLines, ...queryLines]);

/** Schema of the line on standard error with `--json` if a command fails. */
export const errorLineSchema = z.strictObject({
	error: z
		.strictObject({
			code: z.string().describe("one of the error codes below, or `internal` for a fault of Tailtune itself"),
			message: z.string().describe("the message, on one line"),
			stack: z.string().optional().describe("where the error came from, with `--debug`"),
		})
		.describe("the error"),
});
