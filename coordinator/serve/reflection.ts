import { createRequire } from "node:module";
import { loadSync } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { protoPath as HEALTH_FILE } from "grpc-health-check";
import { PROTO_FOLDER } from "../../shared/rpc/service.ts";
import { CLASSIFIER_FILE } from "./service.ts";

const { resolve } = createRequire(import.meta.url);

/** Protocol files of the reflection library. */
const REFLECTION_FILES = ["v1", "v1alpha"].map((version) =>
	resolve(`@grpc/reflection/build/proto/grpc/reflection/${version}/reflection.proto`),
);

/**
 * Creates server reflection, which lists the server's services for tools such as grpcurl, with the names of the .proto
 * files.
 */
export function reflectionService(): ReflectionService {
	const files = [CLASSIFIER_FILE, HEALTH_FILE, ...REFLECTION_FILES];
	return new ReflectionService(loadSync(files, { includeDirs: [PROTO_FOLDER], keepCase: true }));
}
