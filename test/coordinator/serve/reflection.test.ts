import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import {
	type Client,
	type ClientDuplexStream,
	credentials,
	makeGenericClientConstructor,
	type ServiceDefinition,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import test from "ava";
import { createServer } from "../../../coordinator/rpc/server.ts";
import { standardServices } from "../../../coordinator/serve/standard-services.ts";

const require = createRequire(import.meta.url);
const { resolve } = require;

/** The used fields of a file's description. */
interface FileDescription {
	readonly messageType: readonly { readonly name: string; readonly field: readonly { readonly name: string }[] }[];
}
const { FileDescriptorProto } = require("protobufjs/ext/descriptor") as {
	readonly FileDescriptorProto: { decode(bytes: Buffer): FileDescription };
};
const NAME = "grpc.reflection.v1.ServerReflection";
const definition = loadSync(resolve("@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto"), {
	keepCase: true,
})[NAME] as ServiceDefinition;
const Reflection = makeGenericClientConstructor(definition, NAME) as unknown as new (
	...of: ConstructorParameters<typeof Client>
) => Client & { ServerReflectionInfo(): ClientDuplexStream<object, Answer> };

interface Answer {
	readonly list_services_response?: { readonly service: readonly { readonly name: string }[] };
	readonly file_descriptor_response?: { readonly file_descriptor_proto: readonly Buffer[] };
}

/** Sends a reflection request to a server. */
async function ask(question: object): Promise<Answer> {
	const server = await createServer({}, standardServices().services);
	const client = new Reflection(server.address, credentials.createInsecure());
	try {
		const call = client.ServerReflectionInfo();
		return await new Promise((answered, failed) => {
			call.on("data", answered).on("error", failed);
			call.write(question);
		});
	} finally {
		client.close();
		await server.close();
	}
}

test("every service of the server is listed, including those for health and for reflection", async (t) => {
	const { list_services_response } = await ask({ list_services: "*" });
	t.deepEqual(list_services_response?.service.map(({ name }) => name).sort(), [
		"grpc.health.v1.Health",
		"grpc.reflection.v1.ServerReflection",
		"grpc.reflection.v1alpha.ServerReflection",
		"tailtune.v1.Classifier",
	]);
});

test("fields have the names of the .proto file", async (t) => {
	const { file_descriptor_response } = await ask({ file_containing_symbol: "tailtune.v1.Classifier" });
	const files = (file_descriptor_response?.file_descriptor_proto ?? []).map((bytes) =>
		FileDescriptorProto.decode(bytes),
	);
	const own = files.find((file) => file.messageType.some(({ name }) => name === "ClassifyRequest"));
	const told = own?.messageType.flatMap(({ field }) => field.map(({ name }) => name)) ?? [];
	const source = await readFile(new URL("../../../proto/tailtune/v1/classifier.proto", import.meta.url), "utf8");
	const written = [...source.matchAll(/^ +(?:repeated |optional )?[\w.]+ (\w+) = \d+;/gm)].map(([, name]) => name);
	t.true(written.some((name) => name?.includes("_")));
	t.deepEqual(told.sort(), written.sort());
});
