import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { ServiceError } from "@grpc/grpc-js";
import type { ExecutionContext } from "ava";
import { CLASSIFIER, classifierDefinition } from "../../coordinator/serve/service.ts";
import type { Classification } from "../../proto/gen/tailtune/v1/Classification.ts";
import type { ClassifierClient } from "../../proto/gen/tailtune/v1/Classifier.ts";
import type { ClassifyRequestInput } from "../../proto/gen/tailtune/v1/ClassifyRequest.ts";
import { clientOf } from "../../shared/rpc/service.ts";
import { type ClientOptions, createClient } from "../../worker/exchange/client.ts";
import { start } from "../cli/tailtune.ts";

type LogLine = Record<string, unknown>;

/** `tailtune serve` in a separate process. */
export interface ServerProcess {
	readonly address: string;
	/** For example "http://127.0.0.1:1234". */
	readonly url: string;
	/** Every line logged so far. */
	readonly lines: readonly LogLine[];
	/** Waits for a line with this message; with "before" an earlier line counts too. */
	logged(message: string, also?: "before"): Promise<LogLine>;
	signal(name: "SIGTERM" | "SIGKILL"): void;
	/** Resolves when the process has ended. */
	readonly ended: Promise<{ readonly exitCode: number | undefined; readonly stderr: string }>;
}

/** Starts a server on free ports and waits until it has logged `until`. It is killed after the test. */
export async function startServer(
	t: ExecutionContext,
	run: string,
	args: readonly string[] = [],
	until = "model loaded",
): Promise<ServerProcess> {
	const flags = ["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--threads", "1", "--log-level", "debug"];
	const process = start(["serve", run, ...flags, ...args]);
	const lines: LogLine[] = [];
	const reader = createInterface({ input: process.stdout as Readable });
	const waiting = new Set<() => void>();
	reader.on("line", (line) => {
		lines.push(JSON.parse(line));
		for (const check of waiting) check();
	});
	const ended = process.then(({ exitCode, stderr }) => ({ exitCode, stderr: String(stderr) }));
	const logged = async (message: string, also?: "before") => {
		let from = also ? 0 : lines.length;
		const found = new Promise<LogLine>((resolve) => {
			const check = () => {
				for (; from < lines.length; from++) {
					if (lines[from]?.msg !== message) continue;
					waiting.delete(check);
					resolve(lines[from] as LogLine);
					return;
				}
			};
			waiting.add(check);
			check();
		});
		const early = ended.then(({ stderr }) => {
			throw new Error(`the server ended before "${message}": ${stderr}`);
		});
		return Promise.race([found, early]);
	};
	t.teardown(async () => {
		process.kill("SIGKILL");
		await ended;
	});
	const { grpc, http } = await logged("listening", "before");
	await logged(until, "before");
	return {
		address: String(grpc),
		url: `http://${http}`,
		lines,
		logged,
		signal: (name) => process.kill(name),
		ended,
	};
}

/** Opens a client of a server; it is closed after the test. */
export async function connect(
	t: ExecutionContext,
	address: string,
	options: ClientOptions = {},
): Promise<ClassifierClient> {
	const Constructor = clientOf<ClassifierClient>(classifierDefinition, CLASSIFIER);
	const client = await createClient(Constructor, address, options);
	t.teardown(() => client.close());
	return client;
}

/** Posts a body to `/v1/classify`. */
export function post(
	{ url }: ServerProcess,
	body: string | Uint8Array<ArrayBuffer>,
	headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
	return fetch(`${url}/v1/classify`, {
		method: "POST",
		body,
		headers: { "content-type": "application/json", ...headers },
	});
}

/** Classifies a text. Rejects with the status if the call fails. */
export function classify(
	client: ClassifierClient,
	request: ClassifyRequestInput,
	deadlineMs = 30_000,
): Promise<Classification> {
	return new Promise((resolve, reject) => {
		client.Classify(request, { deadline: Date.now() + deadlineMs }, (error, response) => {
			if (error) reject(error);
			else resolve(response?.classification as Classification);
		});
	});
}

/** Returns the status with which a call ended. */
export async function statusOf(call: Promise<unknown>): Promise<Pick<ServiceError, "code" | "details">> {
	return call.then(
		() => ({ code: 0, details: "" }),
		({ code, details }: ServiceError) => ({ code, details }),
	);
}

/** Sends all texts by one stream at once and returns the answers in the order of their arrival. */
export async function classifyStream(client: ClassifierClient, texts: readonly string[]): Promise<Classification[]> {
	const call = client.ClassifyStream();
	for (const text of texts) call.write({ text });
	call.end();
	const answers: Classification[] = [];
	call.on("data", ({ classification }) => answers.push(classification));
	await once(call, "end");
	return answers;
}
