import { fileURLToPath } from "node:url";
import { loadSync, type MessageTypeDefinition } from "@grpc/proto-loader";
import type { RunProgress, RunProgressInput } from "../proto/gen/tailtune/v1/RunProgress.ts";
import type { RunSpec, RunSpecInput } from "../proto/gen/tailtune/v1/RunSpec.ts";
import type { UpdatePart, UpdatePartInput } from "../proto/gen/tailtune/v1/UpdatePart.ts";
import type { WorkerInfo, WorkerInfoInput } from "../proto/gen/tailtune/v1/WorkerInfo.ts";
import type { WorkItem, WorkItemInput } from "../proto/gen/tailtune/v1/WorkItem.ts";
import { TailtuneError } from "./errors.ts";
import { areTextsUsable } from "./message-texts.ts";

export type { Loss } from "../proto/gen/tailtune/v1/Loss.ts";
export type { RunProgress } from "../proto/gen/tailtune/v1/RunProgress.ts";
export type { RunSpec } from "../proto/gen/tailtune/v1/RunSpec.ts";
export type { Sequence } from "../proto/gen/tailtune/v1/Sequence.ts";
export type { TailSpec } from "../proto/gen/tailtune/v1/TailSpec.ts";
export type { Trainable } from "../proto/gen/tailtune/v1/Trainable.ts";
export type { WorkerInfo } from "../proto/gen/tailtune/v1/WorkerInfo.ts";
export type { WorkItem } from "../proto/gen/tailtune/v1/WorkItem.ts";
export type { WorkKind } from "../proto/gen/tailtune/v1/WorkKind.ts";
export type { WorkResult } from "../proto/gen/tailtune/v1/WorkResult.ts";

/** An item before it is asked for: its run has not numbered it yet. */
export type NewItem = Omit<WorkItem, "serial">;

/** Most characters of a text in a message: ids, paths and error messages are shorter. */
const LONGEST_TEXT = 16 << 10;

/** Encodes and decodes one type of protobuf message. */
export interface Codec<Input, Message> {
	encode(message: Input): Buffer;
	/** Throws TailtuneError "protocol" if the bytes can't be decoded as this type. */
	decode(bytes: Uint8Array): Message;
}

const protoFolder = fileURLToPath(new URL("../proto", import.meta.url));
const definitions = loadSync(["tailtune/v1/work.proto", "tailtune/v1/update.proto"], {
	includeDirs: [protoFolder],
	longs: Number,
	enums: String,
	defaults: true,
	oneofs: true,
});

function codec<Input extends object, Message extends object>(name: string): Codec<Input, Message> {
	// The loader's type is a service, an enum or a message; these names are messages.
	const { serialize, deserialize } = definitions[`tailtune.v1.${name}`] as unknown as MessageTypeDefinition<
		Input,
		Message
	>;
	return {
		encode: serialize,
		decode(bytes) {
			const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
			const refusal = `${bytes.byteLength} bytes received are not a ${name}`;
			let message: Message;
			try {
				message = deserialize(buffer);
			} catch (cause) {
				throw new TailtuneError("protocol", refusal, { cause });
			}
			if (areTextsUsable(message, buffer, LONGEST_TEXT)) return message;
			throw new TailtuneError("protocol", `${refusal}: a text is not UTF-8, or has over ${LONGEST_TEXT} characters`);
		},
	};
}

export const workItemCodec = codec<WorkItemInput, WorkItem>("WorkItem");
export const runSpecCodec = codec<RunSpecInput, RunSpec>("RunSpec");
export const runProgressCodec = codec<RunProgressInput, RunProgress>("RunProgress");
export const workerInfoCodec = codec<WorkerInfoInput, WorkerInfo>("WorkerInfo");
export const updatePartCodec = codec<UpdatePartInput, UpdatePart>("UpdatePart");
