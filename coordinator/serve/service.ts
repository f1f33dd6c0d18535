import { setMaxListeners } from "node:events";
import { pMapIterable } from "p-map";
import type { Classification } from "../../proto/gen/tailtune/v1/Classification.ts";
import type { ClassifierDefinition, ClassifierHandlers } from "../../proto/gen/tailtune/v1/Classifier.ts";
import type { ClassifyBatchRequest } from "../../proto/gen/tailtune/v1/ClassifyBatchRequest.ts";
import type { ClassifyStreamRequest } from "../../proto/gen/tailtune/v1/ClassifyStreamRequest.ts";
import type { ClassifyStreamResponse } from "../../proto/gen/tailtune/v1/ClassifyStreamResponse.ts";
import type { GetModelRequest } from "../../proto/gen/tailtune/v1/GetModelRequest.ts";
import type { GetModelResponse } from "../../proto/gen/tailtune/v1/GetModelResponse.ts";
import { TailtuneError } from "../../shared/errors.ts";
import { loadService } from "../../shared/rpc/service.ts";
import { checkReadable, duplexStream, unary } from "../rpc/handlers.ts";
import type { RpcService } from "../rpc/rpc-service.ts";
import type { InFlightCalls } from "./in-flight-calls.ts";
import type { Log } from "./log.ts";
import type { ModelHost } from "./model-host.ts";
import type { ClassifiedText, ServedModel } from "./served-model.ts";
import { iterateUntilAborted } from "./until-aborted.ts";

export const CLASSIFIER = "tailtune.v1.Classifier";
export const CLASSIFIER_FILE = "tailtune/v1/classifier.proto";

export const classifierDefinition = loadService<ClassifierDefinition>(CLASSIFIER_FILE, CLASSIFIER);

/** Most texts of a `ClassifyBatch`; more can use a stream. */
const MOST_TEXTS = 1024;

/** Most texts of a stream that are read before earlier ones are answered. */
const STREAM_WINDOW = 64;

/** Parts that the handlers of all calls share. */
export interface ServiceParts {
	readonly host: ModelHost;
	readonly calls: InFlightCalls;
	readonly log: Log;
	readonly logTexts: boolean;
}

/** A text and how to read it. */
interface TextRequest {
	readonly text: string;
	readonly truncate: boolean;
	readonly modelVersion: string;
}

/** Classifies one text, for gRPC and HTTP. Throws as `ServedModel.classify` and `ModelHost.use`. */
export async function classifyText(
	{ host, calls, log, logTexts }: ServiceParts,
	{ text, truncate, modelVersion }: TextRequest,
	signal: AbortSignal,
): Promise<Classification> {
	return calls.run("Classify", { characters: text.length }, async () => {
		const classified = await host.use(modelVersion, async (model) =>
			toMessage(await model.classify(text, truncate, signal), model),
		);
		if (logTexts) log.debug({ text, label: classified.label }, "classified");
		return classified;
	});
}

/** The service `tailtune.v1.Classifier`. */
export function classifierService(parts: ServiceParts): RpcService {
	const onRefused = () => {}; // all calls are counted in one place
	const handlers: ClassifierHandlers = {
		Classify: unary(onRefused, async (request, signal) => ({
			classification: await classifyText(parts, request, signal),
		})),
		ClassifyBatch: unary(onRefused, async (request, signal) => ({
			classifications: await classifyBatch(parts, request, signal),
		})),
		ClassifyStream: duplexStream(onRefused, (requests, signal) => classifyStream(parts, requests, signal)),
		GetModel: unary(onRefused, (request) => getModel(parts, request)),
	};
	return { definition: classifierDefinition, handlers };
}

function classifyBatch(
	{ host, calls }: ServiceParts,
	{ texts, truncate, modelVersion }: ClassifyBatchRequest,
	signal: AbortSignal,
): Promise<Classification[]> {
	return calls.run("ClassifyBatch", { texts: texts.length }, () =>
		host.use(modelVersion, async (model) => {
			if (texts.length > MOST_TEXTS)
				throw new TailtuneError(
					"data",
					`texts: found ${texts.length}, expected at most ${MOST_TEXTS}; use a stream for more`,
				);
			const read = await Promise.all(texts.map((text) => model.read(text, truncate)));
			// If one text fails, the call fails: texts that haven't been sent are dropped.
			const failed = new AbortController();
			const either = AbortSignal.any([signal, failed.signal]);
			setMaxListeners(0, either);
			// In order of length, so that batches hold texts of similar length.
			const order = [...read.keys()].sort((a, b) => lengthOf(read, b) - lengthOf(read, a));
			const answers: Classification[] = [];
			try {
				await Promise.all(
					order.map(async (place) => {
						const text = read[place] as (typeof read)[number];
						answers[place] = toMessage(await model.answer(text, either, true), model);
					}),
				);
			} catch (error) {
				failed.abort();
				throw error;
			}
			return answers;
		}),
	);
}

function lengthOf(read: readonly { readonly tokens: number }[], place: number): number {
	return read[place]?.tokens ?? 0;
}

async function* classifyStream(
	{ host, calls }: ServiceParts,
	requests: AsyncIterable<ClassifyStreamRequest>,
	signal: AbortSignal,
): AsyncGenerator<ClassifyStreamResponse> {
	setMaxListeners(0, signal);
	const size = { texts: 0 };
	const end = calls.begin("ClassifyStream", size);
	const answer = (request: ClassifyStreamRequest) => {
		const { text, truncate, modelVersion } = checkReadable(request);
		size.texts++;
		return host.use(modelVersion, async (model) =>
			toMessage(await model.classify(text, truncate, signal, true), model),
		);
	};
	try {
		calls.refuseWhenDraining();
		const window = { concurrency: STREAM_WINDOW, backpressure: STREAM_WINDOW };
		for await (const classification of pMapIterable(iterateUntilAborted(requests, calls.draining), answer, window))
			yield { classification };
		calls.refuseWhenDraining();
		end();
	} catch (cause) {
		const error = signal.aborted ? new TailtuneError("interrupted", "the caller gave up", { cause }) : cause;
		end(error);
		throw error;
	}
}

function getModel({ host, calls }: ServiceParts, { modelVersion }: GetModelRequest): Promise<GetModelResponse> {
	return calls.run("GetModel", {}, () =>
		host.use(modelVersion, async ({ version, hash, labels, maxTokens, metrics }) => ({
			modelVersion: version,
			modelHash: hash,
			labels: [...labels],
			maxTokens,
			metrics: [...metrics],
		})),
	);
}

function toMessage(text: ClassifiedText, { labels }: Pick<ServedModel, "labels">): Classification {
	return {
		label: text.labels.join("|"),
		labels: [...text.labels],
		probabilities: labels.map((label, index) => ({ label, probability: text.probabilities[index] ?? 0 })),
		tokenCount: text.tokens,
		truncated: text.truncated,
		modelVersion: text.version,
	};
}
