import { connect as connectHttp2, constants } from "node:http2";
import { connect as connectTcp } from "node:net";
import test from "ava";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { makeRun } from "./run-folder.ts";
import { classify, connect, startServer } from "./server.ts";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const PATHS = ["Classify", "ClassifyBatch", "ClassifyStream", "GetModel"].map(
	(name) => `/tailtune.v1.Classifier/${name}`,
);

/** Seeded random numbers and bytes, so that a failure can be reproduced. */
function seededRandom(seed: number) {
	const random = xoroshiro128plus(seed);
	const below = (limit: number) => (random.next() >>> 0) % limit;
	const bytes = (length: number) => Buffer.from(Array.from({ length }, () => below(256)));
	return { below, bytes };
}

/** An HTTP/2 frame (RFC 9113, section 4.1). */
function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
	const head = Buffer.alloc(9);
	head.writeUIntBE(payload.length, 0, 3);
	head[3] = type;
	head[4] = flags;
	head.writeUInt32BE(stream, 5);
	return Buffer.concat([head, payload]);
}

/** Header block of a call, without compression (RFC 7541, section 6.2.2). */
function headers(path: string): Buffer {
	const fields = [":method", "POST", ":scheme", "http", ":path", path, ":authority", "x", "te", "trailers"];
	fields.push("content-type", "application/grpc");
	const literal = (text: string) => Buffer.concat([Buffer.of(text.length), Buffer.from(text)]);
	const pairs = Array.from({ length: fields.length / 2 }, (_, i) => [fields[2 * i] ?? "", fields[2 * i + 1] ?? ""]);
	return Buffer.concat(pairs.flatMap((pair) => [Buffer.of(0), ...pair.map(literal)]));
}

const message = (payload: Buffer) => {
	const head = Buffer.alloc(5);
	head.writeUInt32BE(payload.length, 1);
	return Buffer.concat([head, payload]);
};

test("after 10,000 random and mutated frames on raw connections the server still answers", async (t) => {
	const server = await startServer(t, await makeRun());
	const [host = "", port = ""] = server.address.split(":");
	const { below, bytes } = seededRandom(1);
	const good = message(Buffer.from("\n\u0005hello"));
	const mutate = (frames: Buffer) => {
		const changed = Buffer.from(frames);
		for (let i = 0; i <= below(4); i++) changed[below(changed.length)] = below(256);
		return changed;
	};
	const framesOfConnection = (): Buffer[] => {
		const path = PATHS[below(PATHS.length)] ?? "";
		const opening = [PREFACE, frame(4, 0, 0, Buffer.alloc(0))];
		const call = [frame(1, 4, 1, headers(path)), frame(0, 1, 1, good)];
		if (below(3) === 0)
			return [
				...opening,
				...Array.from({ length: 20 }, () => frame(below(12), below(256), below(8), bytes(below(64)))),
			];
		if (below(2) === 0)
			return [...opening, ...call.map(mutate), ...Array.from({ length: 18 }, () => mutate(call[below(2)] as Buffer))];
		return [...opening, call[0] as Buffer, ...Array.from({ length: 19 }, () => frame(0, 0, 1, bytes(below(40))))];
	};
	const send = (frames: readonly Buffer[]) =>
		new Promise<void>((resolve) => {
			const socket = connectTcp(Number(port), host);
			socket.on("error", () => {});
			socket.once("close", () => resolve());
			socket.resume();
			socket.end(Buffer.concat(frames));
			socket.setTimeout(500, () => socket.destroy());
		});
	let frames = 0;
	while (frames < 10_000) {
		const connections = Array.from({ length: 25 }, framesOfConnection);
		frames += connections.reduce((sum, { length }) => sum + length - 2, 0);
		await Promise.all(connections.map(send));
	}
	const client = await connect(t, server.address);
	t.is((await classify(client, { text: "still here?" })).truncated, false);
	t.deepEqual(
		server.lines.filter(({ level }) => Number(level) >= 50),
		[],
		"only refusals are logged",
	);
});

test("10,000 calls with random and mutated messages end with a status, and the server still answers", async (t) => {
	const server = await startServer(t, await makeRun(), ["--log-level", "info"]);
	const { below, bytes } = seededRandom(2);
	const session = connectHttp2(`http://${server.address}`);
	t.teardown(() => session.destroy());
	const good = Buffer.from("\n\u0005hello\u0010\u0001");
	const body = () => {
		const kind = below(4);
		if (kind === 0) return bytes(below(30));
		const changed = Buffer.from(good);
		changed[below(changed.length)] = below(256);
		return message(kind === 1 ? bytes(below(30)) : kind === 2 ? changed : changed.subarray(0, below(changed.length)));
	};
	const call = (path: string) =>
		new Promise<string>((resolve, reject) => {
			const stream = session.request({
				[constants.HTTP2_HEADER_METHOD]: "POST",
				[constants.HTTP2_HEADER_PATH]: path,
				[constants.HTTP2_HEADER_CONTENT_TYPE]: "application/grpc",
				[constants.HTTP2_HEADER_TE]: "trailers",
			});
			let status = "none";
			const readStatus = (of: Record<string, unknown>) => {
				status = String(of["grpc-status"] ?? status);
			};
			stream.on("response", readStatus).on("trailers", readStatus).on("error", reject);
			stream.once("close", () => resolve(status));
			stream.resume();
			stream.end(body());
		});
	const statuses = new Map<string, number>();
	for (let done = 0; done < 10_000; done += 200) {
		const results = await Promise.all(Array.from({ length: 200 }, () => call(PATHS[below(PATHS.length)] ?? "")));
		for (const code of results) statuses.set(code, (statuses.get(code) ?? 0) + 1);
	}
	t.false(statuses.has("none"), "a call ended without a status");
	t.true((statuses.get("0") ?? 0) > 100 && (statuses.get("3") ?? 0) > 100, JSON.stringify([...statuses]));
	const client = await connect(t, server.address);
	t.is((await classify(client, { text: "still here?" })).truncated, false);
	t.deepEqual(
		server.lines.filter(({ level }) => Number(level) >= 50),
		[],
	);
});
