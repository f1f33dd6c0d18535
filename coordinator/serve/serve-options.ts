import { type Command, Option } from "commander";
import { z } from "zod";
import { describeIssue } from "../../shared/describe-issue.ts";
import { TailtuneError } from "../../shared/errors.ts";
import { flagOf } from "../../shared/settings/resolve-config.ts";
import { MOST_REPLICAS, REPLICAS_HELP } from "../cluster/nats-replicas.ts";
import { DIALABLE, isEveryAddress } from "../cluster/wildcard-address.ts";

const text = () => z.string().min(1);
const number = (least: number) => z.coerce.number().int().min(least);

/** Every setting of `tailtune serve`, beside those of the engine; each is a flag. */
const serveOptionsSchema = z.object({
	listen: text().default("127.0.0.1:50051").describe("HOST:PORT of gRPC"),
	http: text().optional().describe("HOST:PORT of HTTP: POST /v1/classify, /metrics, /healthz; default: none"),
	cors: text().optional().describe("origin whose pages may call over HTTP, as in https://example.org"),
	nats: text().optional().describe("use the workers that have joined this NATS server, instead of one in this process"),
	tensors: text().optional().describe("with --nats: HOST:PORT where workers fetch the model; default: loopback"),
	natsReplicas: number(1).max(MOST_REPLICAS).optional().describe(REPLICAS_HELP),
	maxBatch: number(1).default(32).describe("texts computed together at most"),
	maxDelayMs: number(0).default(2).describe("wait for more texts at most so long, where several came before"),
	maxQueue: number(1).default(1024).describe("texts that may wait at most"),
	maxWaitMs: number(1).default(1500).describe("refuse texts that would have to wait longer"),
	tlsCert: text().optional().describe("PEM file of the server's certificate, for gRPC and HTTP"),
	tlsKey: text().optional().describe("PEM file of its key"),
	tlsCa: text().optional().describe("PEM file: clients must show a certificate that it signed"),
	tokenFile: text().optional().describe("bearer tokens, one a line; a word after it, classify or monitor, limits it"),
	logLevel: z
		.enum(["debug", "info", "warn", "error", "silent"])
		.default("info")
		.describe("least important line logged"),
	logTexts: z.boolean().default(false).describe("log texts too, at level debug"),
});

export type ServeOptions = z.infer<typeof serveOptionsSchema>;

/** Adds a flag for each setting. */
export function addServeFlags(command: Command): Command {
	const defaults: Record<string, unknown> = serveOptionsSchema.parse({});
	for (const [key, { description = "" }] of Object.entries(serveOptionsSchema.shape)) {
		const preset = defaults[key];
		const isSwitch = typeof preset === "boolean";
		const suffix = preset === undefined || isSwitch ? "" : ` (default: ${preset})`;
		command.addOption(new Option(`${flagOf(key)}${isSwitch ? "" : " <value>"}`, `${description}${suffix}`));
	}
	return command;
}

/** What was typed. @throws TailtuneError "usage" that names the flag, what was found and what was expected */
export function parseServeOptions(options: Record<string, unknown>): ServeOptions {
	const { success, data, error } = serveOptionsSchema.safeParse(options, { reportInput: true });
	if (!success) {
		const issue = error.issues[0] as z.core.$ZodIssue;
		throw new TailtuneError("usage", `${flagOf(String(issue.path[0]))}: ${describeIssue(issue)}`, { cause: error });
	}
	if ((data.tlsCert === undefined) !== (data.tlsKey === undefined))
		throw new TailtuneError("usage", "--tls-cert, --tls-key: found one of them, expected both or none");
	if (data.tlsCa !== undefined && data.tlsCert === undefined)
		throw new TailtuneError(
			"usage",
			"--tls-ca: found without --tls-cert; clients are asked for a certificate over TLS",
		);
	for (const key of ["tensors", "natsReplicas"] as const) {
		if (data[key] !== undefined && data.nats === undefined)
			throw new TailtuneError("usage", `${flagOf(key)}: expected --nats beside it`);
	}
	if (data.tensors !== undefined && isEveryAddress(data.tensors))
		throw new TailtuneError("usage", `--tensors: found ${data.tensors}, ${DIALABLE}`);
	return data;
}
