import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { execa } from "execa";
import { CLASSIFIER, classifierDefinition } from "../../coordinator/serve/service.ts";
import type { ClassifierClient } from "../../proto/gen/tailtune/v1/Classifier.ts";
import { writeJson } from "../../shared/files/write-atomic.ts";
import { GPT2_SIZES, writeRandomModel } from "../../shared/model/random-model.ts";
import { clientOf } from "../../shared/rpc/service.ts";
import { PAD_ID } from "../../shared/sequences/effective-sequence.ts";
import { createClient } from "../../worker/exchange/client.ts";
import { start } from "../cli/tailtune.ts";
import { gpt2, tokenize } from "../gpt2-tokenizer.ts";
import type { Bench, BenchContext, Row, Table } from "./bench.ts";
import type { BenchOptions } from "./benches.ts";
import { measureBatches } from "./serve-batch.ts";
import {
	createGrpcSend,
	createHttpSend,
	type LoadResult,
	runClosedLoop,
	runOpenLoop,
	type Send,
} from "./serve-load.ts";

const PEER_PORT = 50_899;
const CLIENTS = [1, 8, 32, 128];

/** Measures answers under load, compared with a PyTorch server with the same weights, and under overload. */
export function serveBench(options: BenchOptions): Bench {
	return { name: "serve", run: (context) => measure(context, options) };
}

async function measure(context: BenchContext, options: BenchOptions): Promise<Table[]> {
	const { repeats, peers, log } = context;
	const { python, full } = options;
	const folder = await mkdtemp(join(tmpdir(), "tailtune-bench-"));
	const texts = makeTexts(300);
	const ends: (() => Promise<void>)[] = [() => rm(folder, { recursive: true })];
	try {
		await makeRun(folder, peers, python);
		const ours = await startOurs(folder);
		ends.unshift(ours.end);
		const int8 = await startOurs(folder, ["--trunk-precision", "int8"]);
		ends.unshift(int8.end);
		const sides: Record<string, Send> = { tailtune: ours.send };
		if (peers !== undefined) {
			const peer = await startPeer(peers, python, join(folder, "model"), texts);
			ends.unshift(peer.end);
			sides.peer = peer.send;
		}
		const rows: Row[] = [];
		for (const clients of CLIENTS) {
			log(`serve: ${clients} clients`);
			rows.push(await row(sides, texts, clients, repeats));
			log(`serve: ${JSON.stringify(rows.at(-1))}`);
		}
		const loads = { title: "Classify: each client waits for its answer", rows };
		const clients = { fp32: ours.client, int8: int8.client };
		const where = { clients, weights: join(folder, "model"), folder, options };
		const batches = await measureBatches(context, where);
		return [loads, batches, await measureOverload(ours.send, texts, full ? 30 : 8)];
	} finally {
		for (const end of ends) await end();
	}
}

async function row(
	sides: Record<string, Send>,
	texts: readonly string[],
	clients: number,
	repeats: number,
): Promise<Row> {
	const requests = Math.max(60, 4 * clients);
	const results: Record<string, LoadResult[]> = {};
	for (let repeat = 0; repeat < repeats; repeat++) {
		for (const [side, send] of Object.entries(sides)) {
			results[side] ??= [];
			results[side].push(await runClosedLoop(send, texts, clients, requests));
		}
	}
	const values: Record<string, number> = {};
	for (const [side, of] of Object.entries(results)) {
		values[`${side} req/s`] = median(of.map(({ perSecond }) => perSecond));
		for (const key of ["p50", "p95", "p99"] as const) values[`${side} ${key} ms`] = median(of.map((each) => each[key]));
	}
	const aims: Record<number, string> = { 1: "p50 at most 0.8 of the peer's", 32: "at least 2 times the peer's req/s" };
	const aim = aims[clients];
	const figure = `${clients} clients`;
	if (aim === undefined || !("peer" in sides)) return { figure, values };
	const value = (name: string) => values[name] ?? Number.NaN;
	const reached =
		clients === 1
			? value("tailtune p50 ms") <= 0.8 * value("peer p50 ms")
			: value("tailtune req/s") >= 2 * value("peer req/s");
	return { figure, values, aim, reached };
}

async function measureOverload(send: Send, texts: readonly string[], seconds: number): Promise<Table> {
	const normal = await runClosedLoop(send, texts, 32, 128);
	const over = await runOpenLoop(send, texts, 4 * normal.perSecond, seconds);
	const values = {
		"answered/s": over.perSecond,
		"refused/s": over.refused / seconds,
		"p50 ms": over.p50,
		"p99 ms": over.p99,
		"p50 to normal": over.p50 / normal.p50,
		"refusal p50 ms": over.refusalMs,
	};
	const row: Row = {
		figure: `4 times the capacity, ${seconds} s`,
		values,
		aim: "median of accepted requests under 3 times that of 32 clients",
		reached: over.p50 < 3 * normal.p50,
	};
	return { title: "Overload", rows: [row] };
}

/** Makes messages of 4 to 60 words, the same each time. */
function makeTexts(count: number): string[] {
	const words = "you have won a free prize call now see me at the usual place tomorrow please bring notes".split(" ");
	const word = (index: number) => words[(index * 7 + (index >> 3)) % words.length];
	return Array.from({ length: count }, (_, text) =>
		Array.from({ length: 4 + ((text * 37) % 57) }, (_, place) => word(text * 11 + place)).join(" "),
	);
}

async function makeRun(run: string, peers: string | undefined, python: string): Promise<void> {
	const model = join(run, "model");
	await mkdir(model);
	if (peers === undefined) await writeRandomModel(model, GPT2_SIZES.small, 1);
	else await execa(python, [join(peers, "init_weights.py"), "--size", "small", "--out", model]);
	const reading = {
		token: "last-real",
		causal: true,
		maxTokens: 1024,
		padTo: null,
		padId: PAD_ID,
		tokenizer: gpt2.hash,
	};
	await writeJson(join(model, "tailtune.json"), { format: 1, labels: ["ham", "spam"], ...reading });
	await writeJson(join(run, "config.json"), {});
}

interface Side {
	readonly send: Send;
	readonly end: () => Promise<void>;
}

async function startOurs(
	run: string,
	flags: readonly string[] = [],
): Promise<Side & { readonly client: ClassifierClient }> {
	const server = start(["serve", run, "--listen", "127.0.0.1:0", ...flags]);
	let address = "";
	for await (const line of createInterface({ input: server.stdout as Readable })) {
		const { msg, grpc } = JSON.parse(line);
		if (msg === "listening") address = grpc;
		if (msg === "model loaded") break;
	}
	server.stdout?.resume();
	const client = await createClient(clientOf<ClassifierClient>(classifierDefinition, CLASSIFIER), address);
	const end = async () => {
		client.close();
		server.kill("SIGTERM");
		await server;
	};
	return { client, send: createGrpcSend(client), end };
}

/** Starts the peer's server. It gets tokens, so that its tokenizer isn't measured. */
async function startPeer(peers: string, python: string, weights: string, texts: readonly string[]): Promise<Side> {
	const args = ["--weights", weights, "--engine", "hf", "--threads", "2", "--port", String(PEER_PORT)];
	const peer = execa(python, [join(peers, "serve.py"), ...args], { reject: false });
	for await (const line of createInterface({ input: peer.stderr as Readable })) if (line.includes("pid")) break;
	peer.stderr?.resume();
	const tokens = tokenize(texts);
	const ids = new Map(texts.map((text, index) => [text, Array.from(tokens[index] ?? [])]));
	const send = createHttpSend(`http://127.0.0.1:${PEER_PORT}/classify`, (text) => ({ ids: ids.get(text) }));
	// The peer prints this line before it listens.
	while (!(await send(texts[0] ?? "").catch(() => false))) await setTimeout(100);
	const end = async () => {
		peer.kill("SIGTERM");
		await peer;
	};
	return { send, end };
}

function median(values: readonly number[]): number {
	return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
