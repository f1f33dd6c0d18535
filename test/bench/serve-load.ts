import { Agent, request } from "node:http";
import { status as Status } from "@grpc/grpc-js";
import type { ClassifierClient } from "../../proto/gen/tailtune/v1/Classifier.ts";

/** Sends one text. Resolves with "refused" if the server has too many requests. */
export type Send = (text: string) => Promise<"answered" | "refused">;

/** Result of a load test. Percentiles are milliseconds of answered requests. */
export interface LoadResult {
	readonly answered: number;
	readonly refused: number;
	readonly perSecond: number;
	readonly p50: number;
	readonly p95: number;
	readonly p99: number;
	/** Median time until a refusal. */
	readonly refusalMs: number;
}

/** Returns a function that sends by gRPC over one channel, like one client process. */
export function createGrpcSend(client: ClassifierClient): Send {
	return (text) =>
		new Promise((resolve, reject) => {
			client.Classify({ text }, (error) => {
				if (!error) resolve("answered");
				else if (error.code === Status.RESOURCE_EXHAUSTED) resolve("refused");
				else reject(error);
			});
		});
}

/** Returns a function that posts JSON over persistent connections. */
export function createHttpSend(url: string, body: (text: string) => object): Send {
	// A server may close a connection that was idle for 5 s.
	const agent = new Agent({ keepAlive: true, timeout: 2000 });
	return (text) =>
		new Promise((resolve, reject) => {
			const headers = { "content-type": "application/json" };
			const call = request(url, { method: "POST", agent, headers }, (response) => {
				response.resume().once("end", () => {
					if (response.statusCode === 200) resolve("answered");
					else if (response.statusCode === 429) resolve("refused");
					else reject(new Error(`${url}: HTTP ${response.statusCode}`));
				});
			});
			call.once("error", reject).end(JSON.stringify(body(text)));
		});
}

/** Runs `clients` clients; each sends its next text when the previous one is answered. */
export async function runClosedLoop(send: Send, texts: readonly string[], clients: number, requests: number) {
	const load = new Load(send, texts);
	const client = async () => {
		while (load.sent < requests) await load.next();
	};
	await Promise.all(Array.from({ length: clients }, client));
	return load.result();
}

/** Sends `perSecond` requests per second, whether or not earlier ones are answered. */
export async function runOpenLoop(send: Send, texts: readonly string[], perSecond: number, seconds: number) {
	const load = new Load(send, texts);
	const inFlight: Promise<void>[] = [];
	const startMs = performance.now();
	for (;;) {
		const dueMs = performance.now() - startMs;
		if (dueMs > 1000 * seconds) break;
		while (load.sent < (perSecond * dueMs) / 1000) inFlight.push(load.next());
		await new Promise((resolve) => setTimeout(resolve, 2));
	}
	await Promise.all(inFlight);
	return load.result();
}

class Load {
	sent = 0;
	readonly #send: Send;
	readonly #texts: readonly string[];
	readonly #startMs = performance.now();
	readonly #ms = { answered: [] as number[], refused: [] as number[] };

	constructor(send: Send, texts: readonly string[]) {
		this.#send = send;
		this.#texts = texts;
	}

	async next(): Promise<void> {
		const text = this.#texts[this.sent++ % this.#texts.length] ?? "";
		const startMs = performance.now();
		const outcome = await this.#send(text);
		this.#ms[outcome].push(performance.now() - startMs);
	}

	result(): LoadResult {
		const seconds = (performance.now() - this.#startMs) / 1000;
		const { answered, refused } = this.#ms;
		const at = (share: number) => quantile(answered, share);
		return {
			answered: answered.length,
			refused: refused.length,
			perSecond: answered.length / seconds,
			p50: at(0.5),
			p95: at(0.95),
			p99: at(0.99),
			refusalMs: quantile(refused, 0.5),
		};
	}
}

function quantile(values: readonly number[], share: number): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
