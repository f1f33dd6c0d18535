import { z } from "zod";
import { NOTICE_KINDS, type NoticeKind } from "../../shared/notices.ts";
import {
	classScoreFields,
	classTextsSchema,
	cutSchema,
	intervalsSchema,
	majorityBaselineSchema,
	metricsLineSchema,
	runResultSchema,
	scoreFields,
	windowsSchema,
} from "../run-folder/result.ts";
import { sweep, trialEvent } from "./sweep-schema.ts";

/** Schema of a whole number of at least 0. */
export const count = z.int().min(0);
/** Schema of a share or a probability. */
export const share = z.number().min(0).max(1);

const phase = {
	name: z
		.string()
		.describe("name of the phase, for example `training` or `features`, or the name of the downloaded model"),
	total: count.describe("total units; 0 if unknown"),
	unit: z.string().describe("the unit, for example `steps`, `tokens`, `texts` or `bytes`"),
	done: count.describe("units done so far, including those of an earlier process"),
};
const seconds = z.number().min(0).describe("time since the phase began");

/** Schema of a worker: `WorkerInfo` of work.proto. */
export const workerSchema = z
	.strictObject({
		workerId: z.string().describe("unique id: host name and a random part"),
		trunkEngine: z.string().describe('engine of the frozen blocks, for example "onnx cpu"'),
		tailEngine: z.string().describe('engine of the trained part, for example "tfjs wasm"'),
		device: z.string().describe("processor or GPU"),
		threads: count.describe("number of compute threads"),
		version: z.string().describe("version of the library that computes the frozen blocks"),
	})
	.describe("the worker");

const workers = {
	at: count.describe("time of the event, in milliseconds since 1970 (UTC)"),
	worker: workerSchema,
	shards: z.record(z.string(), z.array(count).readonly()).describe("shards of each worker now, by the worker's id"),
	totalShards: count.describe("shards of the run"),
};

const classification = {
	text: z.string().describe("the text"),
	source: z.string().describe('source of the text, for example "file:line"'),
	label: z
		.string()
		.nullable()
		.describe("the predicted label, several ones with | between; null if the text could not be classified"),
	labels: z
		.array(z.string())
		.describe(
			"the predicted labels: one, or none below `--abstain` or `--threshold`; any number if the run had `--multi-label`",
		),
	probability: share
		.nullable()
		.describe("probability of the predicted label; without one, or with several, that of the most probable label"),
	probabilities: z
		.record(z.string(), share)
		.describe("probability of each label, by its name; the sum is 1 unless the run had `--multi-label`"),
	tokens: count.describe("tokens that were read"),
	truncated: z.boolean().describe("whether the text had more tokens than were read"),
	error: z.string().optional().describe("why the text could not be classified, with `--skip-bad`"),
};

/** Schema of the prediction for one text. */
export const classificationSchema = z.strictObject(classification);

/** The prediction for one text. */
export type Classification = z.infer<typeof classificationSchema>;

const evaluation = {
	texts: count.describe("texts evaluated"),
	cut: count.describe("texts that were longer than the limit and were cut"),
	maxTokens: count.describe("the limit, in tokens"),
	...scoreFields,
	intervals: intervalsSchema,
	majorityBaseline: majorityBaselineSchema.describe("accuracy of always predicting the most frequent label"),
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

/** Schema of an evaluation on labelled texts. */
const evaluationSchema = z.strictObject(evaluation);

/** An evaluation of a model on labelled texts. */
export type ClassifierEvaluation = z.infer<typeof evaluationSchema>;

const describeKinds = () =>
	Object.entries(NOTICE_KINDS)
		.map(([kind, meaning]) => `${kind}: ${meaning}`)
		.join("; ");

/** Creates the schema of one event; the field `event` holds its name. */
export function event<Name extends string, Shape extends z.ZodRawShape>(name: Name, description: string, shape: Shape) {
	return z.strictObject({ event: z.literal(name), ...shape }).describe(description);
}

/** Creates the schema of an event that a run emits. */
function runEvent<Name extends string, Shape extends z.ZodRawShape>(name: Name, description: string, shape: Shape) {
	return event(name, description, {
		...shape,
		trial: count.optional().describe("only in a sweep: number of the trial, from 1"),
	});
}

/** Schemas of the events that `--json` prints as one line each. */
export const eventsAsLines = [
	runEvent("line", "A remark for people.", { text: z.string().describe("the remark") }),
	runEvent("warning", "A warning for people.", { text: z.string().describe("the warning") }),
	runEvent("phase", "A phase of the work begins. A phase may begin within another one.", phase),
	runEvent("progress", "Progress of a phase, at most once per second.", {
		...phase,
		seconds,
		secondsLeft: z.number().min(0).optional().describe("estimated time until the end of the phase, once it is known"),
	}),
	runEvent("phase-done", "A phase has ended.", {
		...phase,
		seconds: z
			.number()
			.min(0)
			.describe(
				"time of the phase; of `features` and `training` as in `result.json`: without the evaluations in between",
			),
	}),
	runEvent("phase-failed", "A download has ended before its last byte.", { ...phase, seconds }),
	runEvent("notice", "A problem that delays or endangers the run begins or ends.", {
		kind: z.enum(Object.keys(NOTICE_KINDS) as [NoticeKind, ...NoticeKind[]]).describe(describeKinds()),
		state: z.enum(["begun", "over"]).describe("begun: the problem has begun; over: it has ended"),
		text: z.string().describe("the problem, on one line"),
		seconds: z.number().min(0).describe("how long the problem has lasted"),
	}),
	runEvent("texts", "The texts of the run were read.", {
		classes: z.array(classTextsSchema).readonly().describe("texts of each class, in the order of the labels"),
		texts: z
			.strictObject({ train: count, validation: count, test: count })
			.optional()
			.describe("texts of each set; only with `--multi-label`, because `classes` counts a text for each of its labels"),
		cut: cutSchema,
		windows: windowsSchema,
		maxTokens: count.describe("the limit, in tokens"),
	}),
	runEvent("step", "An evaluation between two steps of an epoch: a line of `metrics.jsonl`.", metricsLineSchema.shape),
	runEvent("epoch", "The evaluation at the end of an epoch: a line of `metrics.jsonl`.", metricsLineSchema.shape),
	runEvent("worker-joined", "A worker takes part in the run, for the first time or again.", workers),
	runEvent("worker-left", "A worker no longer takes part in the run.", {
		...workers,
		reason: z
			.enum(["shut-down", "no-heartbeat"])
			.describe("shut-down: it was stopped; no-heartbeat: its heartbeats stopped, for example after a crash"),
	}),
	runEvent("worker-suspended", "A worker gets no work for a while.", {
		...workers,
		reason: z
			.enum(["disconnected", "failing", "idle"])
			.describe(
				"disconnected: its connection to the coordinator was lost; failing: it reported an error; idle: it takes no work items",
			),
		detail: z.string().optional().describe("more about the reason"),
	}),
	runEvent("result", "The run is finished. All other fields are those of `result.json`, see below.", {
		folder: z.string().describe("folder of the run"),
		...runResultSchema.shape,
	}),
	event("trial", "A trial of a sweep begins or ends.", trialEvent),
	event("sweep", "All trials of a sweep have ended: the result of `tailtune sweep`. See `sweep.json` below.", {
		folder: z.string().describe("folder of the sweep"),
		...sweep,
	}),
	event("classified", "All texts of `tailtune classify` were classified.", {
		out: z.string().nullable().describe("the file that was written; null without `--out`"),
		rows: count.describe("rows read; as many were written"),
		cut: count.describe("texts that were longer than the limit and were cut"),
		maxTokens: count.describe("the limit, in tokens"),
		unlabelled: count.describe("rows without a predicted label: no probability reached `--abstain` or `--threshold`"),
		bad: count.describe("rows that could not be classified, with `--skip-bad`"),
		errors: z.array(z.string()).readonly().describe("why, for the first 20 of them; each names file and line"),
	}),
	event("evaluation", "Evaluation of a model on labelled texts: the result of `tailtune evaluate`.", evaluation),
] as const;

/** Schema of every event of a run, and of the other commands that compute. */
export const runEventSchema = z.discriminatedUnion("event", [
	...eventsAsLines,
	event("classifications", "Predicted labels of texts, in order.", {
		results: z.array(classificationSchema).readonly().describe("one for each text"),
	}),
]);

/** Something that happened in a run, or in another command that computes; `event` says what. */
export type RunEvent = z.infer<typeof runEventSchema>;
