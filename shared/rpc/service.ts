import { fileURLToPath } from "node:url";
import { type Client, makeGenericClientConstructor, type ServiceDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { areTextsUsable } from "../message-texts.ts";

/** Version of what both sides of our own services say to each other; another one is refused. */
export const PROTOCOL_VERSION = 1;

/** What a handler is given in the place of bytes that are no such message, as with text that is too long or not UTF-8; it has no fields. */
export const UNREADABLE: object = Object.freeze({});

/** Where the files of the messages lie. */
export const PROTO_FOLDER = fileURLToPath(new URL("../../proto", import.meta.url));

/**
 * A service as gRPC needs it, from a file of proto/.
 * @param file as in "tailtune/v1/tensors.proto"
 * @param name with its package, as in "tailtune.v1.Tensors"
 * @param longestText characters that a text of a request may have; default: as many as a message holds
 */
export function loadService<Definition extends ServiceDefinition>(
	file: string,
	name: string,
	longestText = Number.POSITIVE_INFINITY,
): Definition {
	const definitions = loadSync(file, {
		includeDirs: [PROTO_FOLDER],
		longs: Number,
		enums: String,
		defaults: true,
		oneofs: true,
	});
	const service = definitions[name] as ServiceDefinition;
	// gRPC answers bytes that it can't decode with INTERNAL and no reason; ours are refused by the handler.
	const methods = Object.entries(service).map(([method, definition]) => [
		method,
		{ ...definition, requestDeserialize: tolerant(definition.requestDeserialize, longestText) },
	]);
	return Object.fromEntries(methods) as Definition;
}

/** A constructor of clients for a service. */
export function clientOf<ServiceClient extends Client>(definition: ServiceDefinition, name: string) {
	return makeGenericClientConstructor(definition, name) as unknown as new (
		...args: ConstructorParameters<typeof Client>
	) => ServiceClient;
}

function tolerant(deserialize: (bytes: Buffer) => object, longestText: number): (bytes: Buffer) => object {
	return (bytes) => {
		try {
			const message = deserialize(bytes);
			return areTextsUsable(message, bytes, longestText) ? message : UNREADABLE;
		} catch {
			return UNREADABLE;
		}
	};
}
