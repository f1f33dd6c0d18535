// npm install @grpc/grpc-js @grpc/proto-loader; npx tsx classify.ts HOST:PORT PROTO_FOLDER "a text"
import { credentials, loadPackageDefinition, Metadata, type ServiceError } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

interface Answer {
	classification: { label: string; probabilities: { label: string; probability: number }[] };
}

interface Client {
	classify(
		request: { text: string; truncate: boolean },
		metadata: Metadata,
		options: { deadline: number },
		done: (error: ServiceError | null, answer: Answer) => void,
	): void;
	close(): void;
}

const [address = "localhost:50051", protoFolder = "proto", text = "You won!"] = process.argv.slice(2);
const definition = loadSync("tailtune/v1/classifier.proto", { includeDirs: [protoFolder], defaults: true });
const { tailtune } = loadPackageDefinition(definition) as unknown as {
	tailtune: { v1: { Classifier: new (address: string, channel: ReturnType<typeof credentials.createSsl>) => Client } };
};
const client = new tailtune.v1.Classifier(address, credentials.createInsecure());
const metadata = new Metadata();
if (process.env.TOKEN) metadata.set("authorization", `Bearer ${process.env.TOKEN}`);
const request = { text, truncate: true };
client.classify(request, metadata, { deadline: Date.now() + 5000 }, (error, answer) => {
	if (error) console.error(error.details);
	else console.log(answer.classification.label);
	process.exitCode = error ? 1 : 0;
	client.close();
});
