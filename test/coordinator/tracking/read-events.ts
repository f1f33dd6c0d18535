// Reads event files by the specifications of TFRecord and of protocol buffers, without the code that writes them.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** CRC-32C bit by bit, masked as in TFRecords. */
function maskedCrc(bytes: Uint8Array): number {
	let crc = 0xffffffff;
	for (const byte of bytes) {
		crc ^= byte;
		for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
	}
	crc = ~crc >>> 0;
	return Number((((BigInt(crc) >> 15n) | ((BigInt(crc) << 17n) & 0xffffffffn)) + 0xa282ead8n) & 0xffffffffn);
}

/** Returns the messages of a file. @throws Error if a checksum is wrong, or the file ends within a record */
function readRecords(file: Buffer): Buffer[] {
	const messages: Buffer[] = [];
	for (let at = 0; at < file.length; ) {
		const length = Number(file.readBigUInt64LE(at));
		if (file.readUInt32LE(at + 8) !== maskedCrc(file.subarray(at, at + 8))) throw new Error("wrong CRC of a length");
		const message = file.subarray(at + 12, at + 12 + length);
		if (file.readUInt32LE(at + 12 + length) !== maskedCrc(message)) throw new Error("wrong CRC of a message");
		messages.push(message);
		at += 16 + length;
	}
	return messages;
}

type Field = number | Buffer;

/** Returns the fields of a message: its numbers, and the bytes of texts and of inner messages, by field number. */
export function readFields(message: Buffer): Map<number, Field[]> {
	const fields = new Map<number, Field[]>();
	let at = 0;
	const varint = () => {
		let value = 0n;
		for (let shift = 0n; ; shift += 7n) {
			const byte = message[at++] ?? 0;
			value |= BigInt(byte & 127) << shift;
			if (byte < 128) return Number(BigInt.asIntN(64, value));
		}
	};
	const skip = (bytes: number) => {
		at += bytes;
		return at - bytes;
	};
	const read: Record<number, () => Field> = {
		0: varint,
		1: () => message.readDoubleLE(skip(8)),
		2: () => {
			const length = varint();
			const start = skip(length);
			return message.subarray(start, start + length);
		},
		5: () => message.readFloatLE(skip(4)),
	};
	while (at < message.length) {
		const key = varint();
		const value = read[key & 7]?.() as Field;
		fields.set(key >> 3, [...(fields.get(key >> 3) ?? []), value]);
	}
	return fields;
}

/** One number of a curve. */
export interface ScalarEvent {
	readonly tag: string;
	readonly step: number;
	readonly value: number;
	/** Seconds since 1970. */
	readonly wallTime: number;
}

/** Reads the curves of a run's folder as TensorBoard does: a new start drops the steps that are then repeated. */
export async function readScalars(folder: string): Promise<ScalarEvent[]> {
	let scalars: ScalarEvent[] = [];
	for (const name of (await readdir(folder)).sort()) {
		const [first, ...others] = readRecords(await readFile(join(folder, name))).map(readFields);
		if (String(first?.get(3)?.[0]) !== "brain.Event:2") throw new Error(`${name}: no version`);
		for (const event of others) {
			const step = Number(event.get(2)?.[0] ?? 0);
			if (event.has(7)) scalars = scalars.filter((one) => one.step < step);
			const values = event.has(5) ? readFields(event.get(5)?.[0] as Buffer).get(1) : [];
			for (const value of values ?? []) {
				const { tag, number } = readValue(value as Buffer);
				if (number !== undefined) scalars.push({ tag, step, value: number, wallTime: Number(event.get(1)?.[0]) });
			}
		}
	}
	return scalars;
}

function readValue(value: Buffer): { tag: string; number: number | undefined } {
	const fields = readFields(value);
	return { tag: String(fields.get(1)?.[0]), number: fields.get(2)?.[0] as number | undefined };
}
