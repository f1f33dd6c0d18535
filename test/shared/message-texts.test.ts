import { isUtf8 } from "node:buffer";
import test from "ava";
import fc from "fast-check";
import { classifierDefinition } from "../../coordinator/serve/service.ts";
import { exchangeDefinition } from "../../shared/exchange/tensor-service.ts";
import { workerInfoCodec } from "../../shared/messages.ts";
import { UNREADABLE } from "../../shared/rpc/service.ts";
import { someWorker } from "./bus/messages.ts";

const { requestDeserialize: readBatch } = classifierDefinition.ClassifyBatch;
const { requestDeserialize: readUpload, requestSerialize: writeUpload } = exchangeDefinition.PutAnswer;

/** Bytes that are often UTF-8, often nearly, and often U+FFFD as such. */
const text = fc.oneof(
	fc.string({ unit: "binary", maxLength: 4 }).map((characters) => Buffer.from(characters)),
	fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
	fc.constant(Buffer.from("\uFFFD")),
	fc.constant(Buffer.from("\uFFFD").subarray(0, 2)),
);

test("texts are read if all of them are UTF-8, and else the message is refused", (t) => {
	fc.assert(
		fc.property(fc.array(text, { maxLength: 5 }), (texts) => {
			const message = readBatch(Buffer.concat(texts.flatMap((bytes) => [Buffer.of(0x0a, bytes.length), bytes])));
			t.is(message !== UNREADABLE, texts.every(isUtf8), texts.map((bytes) => bytes.toString("hex")).join());
		}),
		{ numRuns: 1000 },
	);
});

test("a text deep in a message is looked at too", (t) => {
	const header = { header: { result: { runId: "run \uFFFD", workerId: "worker" } } };
	t.not(readUpload(writeUpload(header)), UNREADABLE);
	t.is(readUpload(Buffer.from("0a0612040a026180", "hex")), UNREADABLE);
});

test("ids, hashes and names that are too long are refused, wherever they come from", (t) => {
	t.not(readUpload(writeUpload({ header: { schemaHash: "f".repeat(2048) } })), UNREADABLE);
	t.is(readUpload(writeUpload({ header: { schemaHash: "f".repeat(2049) } })), UNREADABLE);
	const worker = (length: number) => workerInfoCodec.encode(someWorker("w".repeat(length)));
	t.is(workerInfoCodec.decode(worker(16_384)).workerId.length, 16_384);
	t.throws(() => workerInfoCodec.decode(worker(16_385)), { code: "protocol", message: /not a WorkerInfo: a text/ });
	const noText = Buffer.from("0a0180", "hex");
	t.throws(() => workerInfoCodec.decode(noText), { code: "protocol", message: /not UTF-8/ });
});
