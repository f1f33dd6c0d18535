import { fileURLToPath } from "node:url";
import { loadSync, type MessageTypeDefinition } from "@grpc/proto-loader";
import { createCRC32 } from "hash-wasm";

/** The reversed polynomial of CRC-32C. */
const CASTAGNOLI = 0x82f63b78;
const MASK_DELTA = 0xa282ead8;
const LENGTH_BYTES = 8;
const CRC_BYTES = 4;

/** A value of a summary: a number, or data for a plug-in, with an empty tensor. */
export type SummaryValue =
	| { readonly tag: string; readonly simple_value: number }
	| { readonly tag: string; readonly tensor: object; readonly metadata: object };

/** An event, as in tensorboard.proto. */
export interface EventMessage {
	/** Seconds since 1970. */
	readonly wall_time: number;
	readonly step: number;
	readonly file_version?: string;
	readonly summary?: { readonly value: readonly SummaryValue[] };
	/** START: readers drop events of earlier files from this step on. */
	readonly session_log?: { readonly status: "START" };
}

/** Data of the plug-in for hyperparameters. */
export type HParamsData =
	| { readonly session_start_info: { readonly hparams: Record<string, object>; readonly start_time_secs: number } }
	| { readonly session_end_info: { readonly status: string; readonly end_time_secs: number } };

const definitions = loadSync(fileURLToPath(new URL("./tensorboard.proto", import.meta.url)), {
	keepCase: true,
	enums: String,
	longs: Number,
});
const crc = await createCRC32(CASTAGNOLI);

/** Encodes an event as a TFRecord: length, CRC of the length, message, CRC of the message. */
export function encodeRecord(event: EventMessage): Buffer {
	const message = encodeMessage("Event", event);
	const record = Buffer.alloc(LENGTH_BYTES + CRC_BYTES + message.length + CRC_BYTES);
	record.writeBigUInt64LE(BigInt(message.length));
	record.writeUInt32LE(maskedCrc(record.subarray(0, LENGTH_BYTES)), LENGTH_BYTES);
	record.set(message, LENGTH_BYTES + CRC_BYTES);
	record.writeUInt32LE(maskedCrc(message), record.length - CRC_BYTES);
	return record;
}

/** Makes a value for the plug-in for hyperparameters. */
export function hparamsValue(tag: string, data: HParamsData): SummaryValue {
	const content = encodeMessage("HParamsPluginData", data);
	// An empty list of floats, as TensorBoard's own writer adds.
	const tensor = { dtype: 1, tensor_shape: { dim: [{ size: 0 }] } };
	return { tag, tensor, metadata: { plugin_data: { plugin_name: "hparams", content } } };
}

function encodeMessage(name: string, message: object): Buffer {
	const { serialize } = definitions[`tensorboard.${name}`] as unknown as MessageTypeDefinition<object, object>;
	return serialize(message);
}

/** The CRC-32C of bytes, rotated and shifted as TFRecords require. */
function maskedCrc(bytes: Uint8Array): number {
	const value = Number.parseInt(crc.init().update(bytes).digest(), 16);
	return (((value >>> 15) | (value << 17)) + MASK_DELTA) >>> 0;
}
