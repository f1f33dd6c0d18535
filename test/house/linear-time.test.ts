import { EventEmitter } from "node:events";
import type { ServiceDefinition } from "@grpc/grpc-js";
import test from "ava";
import { createTensorService } from "../../coordinator/exchange/grpc-coordinator-tensors.ts";
import type { RpcService } from "../../coordinator/rpc/rpc-service.ts";
import { InFlightCalls } from "../../coordinator/serve/in-flight-calls.ts";
import { createLog } from "../../coordinator/serve/log.ts";
import { ServeMetrics } from "../../coordinator/serve/metrics.ts";
import { ModelHost } from "../../coordinator/serve/model-host.ts";
import { readText } from "../../coordinator/serve/read-text.ts";
import type { ServedModel } from "../../coordinator/serve/served-model.ts";
import { classifierService } from "../../coordinator/serve/service.ts";
import { realClock } from "../../shared/clock.ts";
import {
	runProgressCodec,
	runSpecCodec,
	type TailSpec,
	workerInfoCodec,
	workItemCodec,
} from "../../shared/messages.ts";
import { gradientForm } from "../../shared/updates/gradient-form.ts";
import { checkItem } from "../../worker/run/check-item.ts";
import { gpt2 } from "../gpt2-tokenizer.ts";
import { makeRun } from "../serve/run-folder.ts";
import { someRun } from "../shared/bus/messages.ts";
import { someSchema } from "../shared/exchange/conformance.ts";
import { ReceivedAnswers } from "../shared/exchange/received-answers.ts";
import { TINY } from "../shared/model/tiny-model.ts";
import { filledMessages, MESSAGES, TEXTS } from "./filled-messages.ts";

/**
 * Bytes of a short message, which has more texts than a batch may have. A long message has `TIMES` times as many bytes.
 */
const BYTES = 12 << 10;
const TIMES = 16;

/** Allowed ratio of a long message's time to that of `TIMES` short ones; in quadratic time it would be 16. */
const MOST_TIMES = 6;
/** Milliseconds of processor time below which a message isn't judged. */
const TOO_SHORT_MS = 30;

/** Measures the processor time of this process during `work`. */
async function cpuMs(work: () => Promise<unknown>): Promise<number> {
	const before = process.cpuUsage();
	await work();
	const { user, system } = process.cpuUsage(before);
	return (user + system) / 1000;
}

type Handle = (bytes: Buffer) => unknown;

/** Returns the ratio of a long message's time to that of short ones with as many bytes in total. */
async function timesLonger(handle: Handle, short: Buffer, long: Buffer): Promise<number> {
	const longMs = await cpuMs(async () => handle(long));
	if (longMs < TOO_SHORT_MS) return 0;
	const shortMs = await cpuMs(async () => {
		for (let i = 0; i < TIMES; i++) await handle(short);
	});
	return longMs / Math.max(shortMs, TOO_SHORT_MS);
}

/** Returns the messages whose time grows faster than their bytes. A slow one is measured up to three times. */
async function findSlow(
	message: string,
	handle: Handle,
	texts: readonly string[] = TEXTS.slice(0, 2),
): Promise<string[]> {
	const long = filledMessages(message, TIMES * BYTES, texts);
	const slow: string[] = [];
	for (const [name, short] of filledMessages(message, BYTES, texts)) {
		const body = long.next().value?.[1] as Buffer;
		const times: number[] = [];
		do times.push(await timesLonger(handle, short, body));
		while (times.length < 3 && (times.at(-1) ?? 0) > MOST_TIMES);
		if ((times.at(-1) ?? 0) > MOST_TIMES) slow.push(`${message}: ${name}: ${times.map((ms) => ms.toFixed(1))} times`);
	}
	return slow;
}

/** A call of any kind with one request, as a handler sees it. */
class OneRequest extends EventEmitter {
	readonly request: object;
	readonly end: () => void;

	constructor(request: object, end: () => void) {
		super();
		this.request = request;
		this.end = end;
		this.once("error", end);
	}

	write(_: object, done?: () => void): boolean {
		done?.();
		return true;
	}

	async *iterator(): AsyncGenerator<object> {
		yield this.request;
	}

	[Symbol.asyncIterator]() {
		return this.iterator();
	}

	destroy(): void {}
}

/** Returns a function that has a service handle the bytes of a request of one of its methods. */
function handling({ definition, handlers }: RpcService, method: string): Handle {
	const { requestDeserialize } = definition[method] as ServiceDefinition[string];
	const handler = handlers[method] as unknown as (call: object, callback: () => void) => void;
	return (bytes) =>
		new Promise<void>((resolve) => handler(new OneRequest(requestDeserialize(bytes), resolve), () => resolve()));
}

/** Fields of a loaded method that gRPC's types don't declare. */
type LoadedService = Record<string, { readonly requestType: { readonly type: { readonly name: string } } }>;

async function everyMethod(service: RpcService, texts?: readonly string[]): Promise<string[]> {
	const slow: string[] = [];
	for (const [method, { requestType }] of Object.entries(service.definition as unknown as LoadedService)) {
		const handle = handling(service, method);
		await handle(Buffer.alloc(0));
		slow.push(...(await findSlow(`tailtune.v1.${requestType.type.name}`, handle, texts)));
	}
	return slow;
}

/** Ignores errors of handling bytes: they may be refused. */
function tolerantly(handle: Handle): Handle {
	return (bytes) => {
		try {
			handle(bytes);
		} catch {
			// refused
		}
	};
}

test.serial("every message of proto/ is decoded in time that grows with its bytes", async (t) => {
	t.true(MESSAGES.length > 30);
	const slow: string[] = [];
	for (const [name, { deserialize }] of MESSAGES) slow.push(...(await findSlow(name, tolerantly(deserialize))));
	t.deepEqual(slow, []);
});

test.serial("messages of the bus are decoded and checked in time that grows with their bytes", async (t) => {
	const run = someRun();
	const handles: Record<string, Handle> = {
		WorkItem: (bytes) =>
			checkItem(workItemCodec.decode(bytes), run, TINY, gradientForm(run.tail as TailSpec, TINY, run.factorTexts)),
		RunSpec: runSpecCodec.decode,
		RunProgress: runProgressCodec.decode,
		WorkerInfo: workerInfoCodec.decode,
	};
	const slow: string[] = [];
	for (const [name, handle] of Object.entries(handles))
		slow.push(...(await findSlow(`tailtune.v1.${name}`, tolerantly(handle))));
	t.deepEqual(slow, []);
});

test.serial("every request of a worker is answered in time that grows with its bytes", async (t) => {
	const { tensors, service, close } = createTensorService();
	t.teardown(close);
	tensors.openRun("run", someSchema(4), new ReceivedAnswers(4));
	t.deepEqual(await everyMethod(service), []);
});

test.serial("every request of the classifier is answered in time that grows with its bytes", async (t) => {
	const log = createLog("silent");
	const answer = { labels: [], probabilities: [], tokens: 0, truncated: false, version: "" };
	const read: ServedModel["read"] = async (text) => readText(text, { tokens: 1024, long: "windows" }, 1024, gpt2);
	const classify: ServedModel["classify"] = async (text, truncate) => {
		await read(text, truncate);
		return { ...answer, logits: [] };
	};
	const model = { labels: [], metrics: [], read, classify, answer: async () => answer, close: async () => {} };
	const open = async () => model as unknown as ServedModel;
	const host = new ModelHost({ run: await makeRun(), open, clock: realClock, log, onModel: () => {} });
	await host.start();
	t.teardown(() => host.close());
	const calls = new InFlightCalls(new ServeMetrics(() => []), log);
	t.deepEqual(await everyMethod(classifierService({ host, calls, log, logTexts: false }), TEXTS), []);
});
