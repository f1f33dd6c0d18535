import { fileURLToPath } from "node:url";
import { type Client, makeGenericClientConstructor, type ServiceDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { areTextsUsable } from "../message-texts.ts";

/** Version of the protocol between coordinator and workers; other versions are refused. */
export const PROTOCOL_VERSION = 1;

/**
 * Given to a handler instead of a message that can't be decoded, or with a text that is too long or not UTF-8; it has
 * no fields.
 */
export const UNREADABLE: object = Object.freeze({});

/** Folder of the .proto files. */
export const PROTO_FOLDER = fileURLToPath(new URL("../../proto", import.meta.url));

/**
 * Loads the definition of a service from a file of proto/.
 * @param file for example "tailtune/v1/exchange.proto"
 * @param name with its package, for example "tailtune.v1.Exchange"
 * @param longestText most characters of a text in a request; default: limited only by the message
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
	// gRPC answers bytes that it can't decode with INTERNAL and no reason; here the handler refuses them.
	const methods = Object.entries(service).map(([method, definition]) => [
		method,
		{ ...definition, requestDeserialize: tolerant(definition.requestDeserialize, longestText) },
	]);
	return Object.fromEntries(methods) as Definition;
}

/** A constructor of a service's clients. */
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
