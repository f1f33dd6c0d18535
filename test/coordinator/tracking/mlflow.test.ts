import type { ServerResponse } from "node:http";
import test from "ava";
import { RunEvents } from "../../../coordinator/events/run-events.ts";
import { openMlflow } from "../../../coordinator/tracking/mlflow.ts";
import { trackRuns } from "../../../coordinator/tracking/track-runs.ts";
import { TailtuneError } from "../../../shared/errors.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { sampleLine, sampleResult } from "../run-folder/sample-run.ts";
import { collectWarnings, emitRun } from "./emit-run.ts";
import { MlflowServer } from "./mlflow-server.ts";

/** Records the events of one process. @returns its warnings */
async function track(
	address: string,
	emit: (events: RunEvents) => unknown,
	{ error, answerMs }: { readonly error?: Error; readonly answerMs?: number } = {},
): Promise<string[]> {
	const events = new RunEvents();
	const warnings = collectWarnings(events);
	const tracking = trackRuns(events, openMlflow(address, new AbortController().signal, answerMs));
	await emit(events);
	await tracking.close(error);
	return warnings;
}

test("MLflow gets each evaluation once, also if a run is resumed or an answer is lost", async (t) => {
	const server = await MlflowServer.start(t);
	const folder = await temporaryFolder(t, { "config.json": "{}" });
	const kept = [sampleLine("step", 0), sampleLine("step", 50), sampleLine("epoch", 130)];
	const lost = [sampleLine("step", 150), sampleLine("step", 200)];
	let isLost = false;
	server.disturb = (path, response) => {
		if (path !== "POST runs/create" || isLost) return false;
		isLost = true;
		response.destroy();
		return true;
	};
	const interrupted = new TailtuneError("interrupted", "stopped");
	const emitUntilWarning = (events: RunEvents) => {
		const warned = new Promise<void>((resolve) => events.listen(({ event }) => event === "warning" && resolve()));
		emitRun(events, [...kept, ...lost], [], folder);
		return warned;
	};
	const [warning, ...others] = await track(server.address, emitUntilWarning, { error: interrupted });
	t.regex(warning ?? "", new RegExp(`^--mlflow ${server.address} can't be reached \\(.+\\); the run continues, and`));
	t.deepEqual(others, []);
	// Resumed from a checkpoint after step 130; the steps after it are repeated.
	const again = [...lost, sampleLine("epoch", 260)];
	const result = sampleResult();
	const warnings = await track(server.address, (events) => {
		emitRun(events, again, kept, folder);
		events.emit({ event: "result", folder, ...result });
	});
	t.deepEqual(warnings, []);
	t.deepEqual(server.refusals, []);
	t.deepEqual(server.experiments, ["tailtune"]);
	t.is(server.runs.length, 1);
	const [run] = server.runs;
	t.is(run?.run_name, folder.split("/").at(-1));
	t.is(run?.params.get("lr"), "0.001");
	t.is(run?.params.get("weight-decay"), "0.1");
	// The second one is of the repeated start.
	t.deepEqual(run?.statuses, ["RUNNING", "RUNNING", "KILLED", "RUNNING", "FINISHED"]);
	const curve = (wanted: string) =>
		run?.metrics.filter(({ key }) => key === wanted).map(({ step, value }) => [step, value]);
	const lines = [...kept, ...again];
	t.deepEqual(
		curve("learning-rate"),
		lines.map(({ step, learningRate }) => [step, learningRate]),
	);
	t.deepEqual(
		curve("loss/validation-few-batches"),
		lines.filter(({ kind }) => kind === "step").map(({ step, validation }) => [step, validation.loss]),
	);
	t.deepEqual(curve("macro-f1/test"), [[result.kept.step, result.macroF1.test]]);
	t.true(run?.metrics.every(({ timestamp }) => Math.abs(timestamp - Date.now()) < 3_600_000));
});

test.serial(
	"a failed run, long curves, the experiment and the credentials are sent as MLflow's tools do",
	async (t) => {
		const server = await MlflowServer.start(t);
		const folder = await temporaryFolder(t, { "config.json": "{}" });
		const { env } = process;
		t.teardown(() => {
			process.env = env;
		});
		process.env = { ...env, MLFLOW_TRACKING_TOKEN: "secret", MLFLOW_EXPERIMENT_NAME: "spam & ham" };
		const earlier = Array.from({ length: 300 }, (_, step) => sampleLine("step", step));
		await track(server.address, (events) => emitRun(events, [], earlier, folder), { error: new Error("broken") });
		t.deepEqual(server.refusals, []);
		t.deepEqual(server.experiments, ["spam & ham"]);
		t.deepEqual(server.runs[0]?.statuses, ["RUNNING", "FAILED"]);
		t.is(server.runs[0]?.metrics.filter(({ key }) => key === "loss/train-few-batches").length, 300);
		t.deepEqual([...server.authorizations], ["Bearer secret"]);
		process.env = { ...process.env, MLFLOW_TRACKING_USERNAME: "ann", MLFLOW_TRACKING_PASSWORD: "pass:word" };
		await track(server.address, (events) => emitRun(events, [], [], folder));
		t.is([...server.authorizations].at(-1), `Basic ${Buffer.from("ann:pass:word").toString("base64")}`);
	},
);

test("two processes that create the experiment at the same time both use it", async (t) => {
	const server = await MlflowServer.start(t);
	server.disturb = (path) => {
		// The other process is faster.
		if (path === "GET experiments/get-by-name" && server.experiments.length === 0) server.experiments.push("tailtune");
		return false;
	};
	const folder = await temporaryFolder(t, { "config.json": "{}" });
	t.deepEqual(await track(server.address, (events) => emitRun(events, [], [], folder)), []);
	t.deepEqual([server.experiments, server.runs.map(({ experiment_id }) => experiment_id)], [["tailtune"], ["0"]]);
});

const answer = (status: number, body: string) => (response: ServerResponse) => {
	response.writeHead(status);
	response.end(body);
};
const unauthorized = '{"error_code": "UNAUTHENTICATED", "message": "log in\\nfirst"}';
const SILENT = "never answers";
const faults: readonly [string, (response: ServerResponse) => void, string][] = [
	["refuses the credentials", answer(401, unauthorized), "answers with status 401 (log in first)"],
	["fails", answer(500, "<h1>Internal Server Error</h1>"), "answers with status 500"],
	["redirects", answer(302, ""), "answers with status 302"],
	["answers in another way", answer(200, "hello"), "doesn't answer as an MLflow server"],
	[SILENT, () => {}, "gives no answer within 0.2 seconds"],
	["closes the connection", (response) => response.destroy(), "can't be reached (other side closed)"],
];

for (const [title, fault, reason] of faults)
	test(`an MLflow server that ${title} is reported once`, async (t) => {
		const server = await MlflowServer.start(t);
		server.disturb = (_, response) => {
			fault(response);
			return true;
		};
		const folder = await temporaryFolder(t, { "config.json": "{}" });
		const emit = (events: RunEvents) => emitRun(events, [sampleLine("step", 50), sampleLine("epoch", 130)], [], folder);
		t.deepEqual(await track(server.address, emit, title === SILENT ? { answerMs: 200 } : {}), [
			`--mlflow ${server.address} ${reason}; the run continues, and evaluations are recorded later if possible`,
			"MLflow: 2 evaluations weren't recorded",
		]);
	});
