import { readdir } from "node:fs/promises";
import { type AnyDefinition, loadSync, type MessageTypeDefinition } from "@grpc/proto-loader";
import { PROTO_FOLDER } from "../../shared/rpc/service.ts";

interface Field {
	readonly name: string;
	readonly number: number;
	readonly type: string;
	readonly typeName: string;
}

/**
 * Pieces that texts are made of. The UTF-8 check searches for the first; the tokenizer splits the others into words.
 */
export const TEXTS = ["\uFFFD", "a", " ", "\n", "7", "é", "ab ", "!", "\u0000"];

const files = (await readdir(PROTO_FOLDER, { recursive: true })).filter((name) => name.endsWith(".proto"));
const definitions = loadSync(files, { includeDirs: [PROTO_FOLDER] });
/** Every message of proto/, by name. */
export const MESSAGES = Object.entries(definitions).filter(
	(entry): entry is [string, MessageTypeDefinition<object, object>] => isMessage(entry[1]),
);

function isMessage(definition: AnyDefinition): boolean {
	return "format" in definition && definition.format === "Protocol Buffer 3 DescriptorProto";
}

function fieldsOf(name: string): readonly Field[] {
	const { type } = definitions[name] as MessageTypeDefinition<object, object>;
	return (type as { field: Field[] }).field;
}

/** A length-delimited field of the protobuf wire format. */
function withLength(number: number, bytes: Buffer): Buffer {
	const length: number[] = [];
	for (let rest = bytes.length; ; rest >>>= 7) {
		length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
		if (rest <= 0x7f) break;
	}
	return Buffer.concat([Buffer.of((number << 3) | 2, ...length), bytes]);
}

function fill(part: Buffer, bytes: number): Buffer {
	return Buffer.alloc(bytes - (bytes % part.length), part);
}

/** As many different texts as fit: a search among the bytes finds each one late. */
function differing(number: number, text: string, bytes: number): Buffer {
	const parts: Buffer[] = [];
	for (let size = 0; size < bytes; size += parts.at(-1)?.length ?? 0)
		parts.push(withLength(number, Buffer.from(`${text}${parts.length.toString(36)}`)));
	return Buffer.concat(parts);
}

/** Yields messages of about `bytes` bytes, all in one field: as one value, or as many values as fit. */
export function* filledMessages(
	message: string,
	bytes: number,
	texts: readonly string[],
): Generator<[name: string, body: Buffer]> {
	for (const { name, number, type, typeName } of fieldsOf(message)) {
		if (type === "TYPE_STRING")
			for (const text of texts) {
				yield [`${name} ${JSON.stringify(text)}`, withLength(number, fill(Buffer.from(text), bytes))];
				yield [`${name} ${JSON.stringify(text)}, often`, differing(number, text, bytes)];
			}
		else if (type === "TYPE_MESSAGE") {
			const inner = `tailtune.v1.${typeName.split(".").at(-1)}`;
			yield [`${name}, often`, fill(withLength(number, Buffer.alloc(0)), bytes)];
			for (const [part, body] of filledMessages(inner, bytes, texts))
				yield [`${name}.${part}`, withLength(number, body)];
		} else {
			yield [`${name}, often`, fill(Buffer.of(number << 3, 1), bytes)];
			yield [`${name} with a length`, withLength(number, Buffer.alloc(bytes, 1))];
		}
	}
	yield ["an unknown field, often", fill(Buffer.of(0x78, 0), bytes)];
	yield ["groups in groups", Buffer.alloc(bytes, 0x7b)];
}
