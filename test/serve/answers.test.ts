import { once } from "node:events";
import { status as Status } from "@grpc/grpc-js";
import test from "ava";
import { Classifier } from "../../coordinator/classify/classifier.ts";
import { openEmbeddedCluster } from "../../coordinator/cluster/embedded-cluster.ts";
import { classifierDefinition } from "../../coordinator/serve/service.ts";
import type { Classification } from "../../proto/gen/tailtune/v1/Classification.ts";
import type { ClassifyBatchResponse } from "../../proto/gen/tailtune/v1/ClassifyBatchResponse.ts";
import type { LabelProbability } from "../../proto/gen/tailtune/v1/LabelProbability.ts";
import { startWorker } from "../../worker/run/lifecycle.ts";
import { sampleTexts } from "../cli/tailtune.ts";
import { tokenize } from "../gpt2-tokenizer.ts";
import { labels, makeRun } from "./run-folder.ts";
import { classify, classifyStream, connect, post, startServer, statusOf } from "./server.ts";

const texts = sampleTexts(20)
	.trim()
	.split("\n")
	.map((line) => line.slice(line.indexOf("\t") + 1));

/** Answers with rounded probabilities: the last digits depend on the other texts of a batch. */
function rounded(answers: readonly Classification[]) {
	const toFive = ({ label, probability }: LabelProbability) => ({ label, probability: probability.toFixed(5) });
	return answers.map((answer) => ({ ...answer, probabilities: answer.probabilities.map(toFive) }));
}

test("a text's logits don't depend on the other texts of its batch", async (t) => {
	const workerSide = { startWorker, inspectEngines: async () => [], addWorkerCommand: () => {} };
	const classifier = await Classifier.open(
		await makeRun(),
		{ engine: "auto", backend: "auto", threads: 1 },
		{
			openCluster: (run) => openEmbeddedCluster(workerSide, run),
		},
	);
	t.teardown(() => classifier.close());
	const tokens = tokenize(texts);
	const together = await classifier.classifyGroup(tokens, 0);
	const worst = { difference: 0 };
	for (const [index, alone] of tokens.entries()) {
		const [answer] = await classifier.classifyGroup([alone], 0);
		const [paired] = await classifier.classifyGroup([alone, tokens[(index * 7) % tokens.length] ?? alone], 0);
		for (const [label, logit] of (together[index]?.logits ?? []).entries()) {
			for (const other of [answer, paired])
				worst.difference = Math.max(worst.difference, Math.abs(logit - (other?.logits[label] ?? Number.NaN)));
		}
	}
	t.true(worst.difference <= 1e-5, `${worst.difference}`);
	t.true(
		Math.abs((together[0]?.logits[0] ?? 0) - (together[1]?.logits[0] ?? 0)) > 1e-5,
		"different texts have different logits",
	);
});

test("answers with --trunk-precision int8 differ a little from those in float32", async (t) => {
	const run = await makeRun();
	const probability = async (...flags: string[]) => {
		const client = await connect(t, (await startServer(t, run, flags)).address);
		const answers = await Promise.all(texts.map((text) => classify(client, { text })));
		return answers.map(({ probabilities }) => probabilities[0]?.probability ?? Number.NaN);
	};
	const [exact, rounded] = [await probability(), await probability("--trunk-precision", "int8")];
	const differences = exact.map((value, i) => Math.abs(value - (rounded[i] ?? Number.NaN)));
	t.true(Math.max(...differences) < 0.1, `${differences}`);
	t.true(Math.max(...differences) > 1e-5);
});

test("single calls, batches, streams and HTTP give the same complete answers", async (t) => {
	const server = await startServer(t, await makeRun());
	const client = await connect(t, server.address);
	const single = await Promise.all(texts.map((text) => classify(client, { text })));
	const [first] = single;
	t.deepEqual(
		first?.probabilities.map(({ label }) => label),
		labels,
	);
	t.true(Math.abs((first?.probabilities ?? []).reduce((sum, of) => sum + of.probability, 0) - 1) < 1e-6);
	t.is(first?.tokenCount, tokenize(texts)[0]?.length);
	const likely = first?.probabilities.reduce((a, b) => (b.probability > a.probability ? b : a));
	t.is(first?.label, likely?.label);

	const batch = await new Promise<ClassifyBatchResponse | undefined>((resolve, reject) => {
		client.ClassifyBatch({ texts }, (error, response) => (error ? reject(error) : resolve(response)));
	});
	t.deepEqual(rounded(batch?.classifications ?? []), rounded(single));
	t.deepEqual(rounded(await classifyStream(client, texts)), rounded(single));

	const response = await post(server, JSON.stringify({ text: texts[0] }));
	const json = (await response.json()) as typeof first;
	t.is(response.status, 200);
	t.deepEqual(rounded(json ? [json] : []), rounded(first ? [first] : []));

	const metrics = await (await fetch(`${server.url}/metrics`)).text();
	t.true(metrics.includes(`tailtune_requests_total{method="Classify",code="OK"} ${texts.length + 1}\n`));
	t.regex(metrics, /tailtune_batch_texts_count [1-9]/);
	t.regex(metrics, /tailtune_workers 1\n/);
	t.regex(metrics, /tailtune_queue_texts 0\n/);
	t.regex(metrics, /tailtune_tokens_total [1-9]/);
	t.false(
		server.lines.some((line) => JSON.stringify(line).includes("tomorrow")),
		"no text is logged",
	);
});

test("a model for several labels per text answers with the labels above their thresholds, by gRPC and HTTP", async (t) => {
	for (const [thresholds, expected] of [
		[
			[0, 0],
			["ham", "spam"],
		],
		[[1, 0], ["spam"]],
		[[1, 1], []],
	] as const) {
		const server = await startServer(t, await makeRun(1, thresholds));
		const answer = await classify(await connect(t, server.address), { text: texts[0] as string });
		t.deepEqual([answer.labels, answer.label], [[...expected], expected.join("|")]);
		const sum = answer.probabilities.reduce((total, { probability }) => total + probability, 0);
		t.true(Math.abs(sum - 1) > 1e-3, "one sigmoid per label");
		const json = await (await post(server, JSON.stringify({ text: texts[0] }))).json();
		t.deepEqual(rounded([json as Classification]), rounded([answer]));
	}
});

test("a stream answers each text at once if the caller waits for the answer before it sends the next", async (t) => {
	const server = await startServer(t, await makeRun());
	const call = (await connect(t, server.address)).ClassifyStream();
	for (const text of texts.slice(0, 3)) {
		call.write({ text });
		const [{ classification }] = await once(call, "data");
		t.true(labels.includes(classification.label));
	}
	call.end();
	const [status] = await once(call.resume(), "status");
	t.is(status.code, Status.OK);
});

test("requests that can't be answered get the matching status by gRPC and by HTTP", async (t) => {
	const server = await startServer(t, await makeRun());
	const client = await connect(t, server.address);
	const long = "word ".repeat(300);
	const cases = [
		[{ text: "" }, Status.INVALID_ARGUMENT, 400, /empty/],
		[{ text: long }, Status.INVALID_ARGUMENT, 400, /more than 256 tokens/],
		[{ text: "x", modelVersion: "other" }, Status.NOT_FOUND, 404, /isn't served/],
	] as const;
	for (const [request, code, httpCode, message] of cases) {
		const status = await statusOf(classify(client, request));
		t.is(status.code, code);
		t.regex(status.details, message);
		const response = await post(server, JSON.stringify(request));
		t.is(response.status, httpCode);
		t.regex(await response.text(), message);
	}
	const cut = await classify(client, { text: long, truncate: true });
	t.true(cut.truncated);
	t.is(cut.tokenCount, 256);

	const notUtf8 = Buffer.from([0x0a, 3, 0x61, 0xff, 0x62]);
	const raw = new Promise((resolve, reject) => {
		const { path, responseDeserialize } = classifierDefinition.Classify;
		client.makeUnaryRequest(
			path,
			(bytes: Buffer) => bytes,
			responseDeserialize,
			notUtf8,
			(error, value) => (error ? reject(error) : resolve(value)),
		);
	});
	const status = await statusOf(raw);
	t.is(status.code, Status.INVALID_ARGUMENT);
	t.regex(status.details, /UTF-8/);
	t.is((await classify(client, { text: "an honest \uFFFD" })).tokenCount, 3);

	t.is((await post(server, "{")).status, 400);
	t.is((await post(server, '{"text":1}')).status, 400);
	t.is((await post(server, '{"text":"a","more":1}')).status, 400);
	t.is((await post(server, Uint8Array.of(0x22, 0xff, 0x22))).status, 400);
	t.is((await post(server, `{"text":"${"a ".repeat(3 << 20)}"}`)).status, 413);
	t.is((await fetch(`${server.url}/v2`)).status, 404);
	t.is((await statusOf(classify(client, { text: "a ".repeat(3 << 20) }))).code, Status.RESOURCE_EXHAUSTED);
});

test("a call ends at its deadline or when the caller cancels it, and the server continues", async (t) => {
	const server = await startServer(t, await makeRun(), ["--max-batch", "1"]);
	const client = await connect(t, server.address);
	const long = "word ".repeat(250);
	const many = Array.from({ length: 40 }, () => statusOf(classify(client, { text: long })));
	const late = await statusOf(classify(client, { text: "late" }, 5));
	t.is(late.code, Status.DEADLINE_EXCEEDED);
	const abandoned = client.Classify({ text: "abandoned" }, () => {});
	abandoned.cancel();
	const codes = (await Promise.all(many)).map(({ code }) => code);
	t.true(codes.includes(Status.OK));
	t.is((await classify(client, { text: "still here?" })).truncated, false);
});
