import { type Command, Option } from "commander";
import { z } from "zod";
import { describeIssue } from "../../shared/describe-issue.ts";
import { TailtuneError } from "../../shared/errors.ts";
import { HOST_PORT, splitHostPort } from "../../shared/settings/host-port.ts";
import { checkNatsUrls } from "../../shared/settings/nats-urls.ts";
import { flagOf } from "../../shared/settings/resolve-config.ts";
import { MOST_REPLICAS, REPLICAS_HELP } from "../cluster/nats-replicas.ts";
import { DIALABLE, isWildcardAddress } from "../cluster/wildcard-address.ts";

const text = () => z.string().min(1);
const address = () => text().refine((value) => splitHostPort(value) !== undefined, HOST_PORT);
const number = (least: number) => z.coerce.number().int().min(least);

/** Every setting of `tailtune serve` except those of the engine; each is a flag. */
const serveOptionsSchema = z.object({
	listen: address().default("127.0.0.1:50051").describe("HOST:PORT of gRPC"),
	http: address().optional().describe("HOST:PORT of HTTP: POST /v1/classify, /metrics, /healthz; default: none"),
	cors: text()
		.optional()
		.describe("origin whose pages may call over HTTP (CORS), for example https://example.org; default: none"),
	nats: z
		.string()
		.optional()
		.describe(
			"use the workers of this NATS server instead of one in this process; commas separate several URLs; default: none",
		),
	tensors: address()
		.optional()
		.describe("with --nats: HOST:PORT from which workers fetch the model; default: a free port on loopback"),
	natsReplicas: number(1).max(MOST_REPLICAS).optional().describe(REPLICAS_HELP),
	maxBatch: number(1).default(32).describe("most texts in one batch"),
	maxDelayMs: number(0)
		.default(2)
		.describe("most milliseconds to wait for more texts to fill a batch, if the last one had several"),
	maxQueue: number(1).default(1024).describe("most texts that may wait"),
	maxWaitMs: number(1).default(1500).describe("refuse texts that would have to wait longer than this, in milliseconds"),
	tlsCert: text().optional().describe("PEM file of the server's certificate, for gRPC and HTTP"),
	tlsKey: text().optional().describe("PEM file of its key"),
	tlsCa: text().optional().describe("PEM file of a CA: clients must present a certificate from it (mTLS)"),
	tokenFile: text()
		.optional()
		.describe("file with one bearer token per line; `classify` or `monitor` after a token limits it"),
	logLevel: z
		.enum(["debug", "info", "warn", "error", "silent"])
		.default("info")
		.describe("lowest level that is logged: debug, info, warn, error, or silent for none"),
	logTexts: z.boolean().default(false).describe("log the texts too, at level debug"),
});

export type ServeOptions = z.infer<typeof serveOptionsSchema>;

/** Adds one flag per setting. */
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

/** Parses the given flags. @throws TailtuneError "usage" that names the flag, the value found and the value expected */
export function parseServeOptions(options: Record<string, unknown>): ServeOptions {
	const { success, data, error } = serveOptionsSchema.safeParse(options, { reportInput: true });
	if (!success) {
		const issue = error.issues[0] as z.core.$ZodIssue;
		const key = String(issue.path[0]);
		// A word that was read as a number is NaN.
		const found = (Number.isNaN(issue.input) ? { ...issue, input: options[key] } : issue) as z.core.$ZodIssue;
		throw new TailtuneError("usage", `${flagOf(key)}: ${describeIssue(found)}`, { cause: error });
	}
	if ((data.tlsCert === undefined) !== (data.tlsKey === undefined))
		throw new TailtuneError("usage", "--tls-cert, --tls-key: found one of them, expected both or none");
	if (data.tlsCa !== undefined && data.tlsCert === undefined)
		throw new TailtuneError("usage", "--tls-ca: needs --tls-cert and --tls-key, because client certificates need TLS");
	if (data.nats !== undefined) checkNatsUrls(data.nats);
	for (const key of ["tensors", "natsReplicas"] as const) {
		if (data[key] !== undefined && data.nats === undefined)
			throw new TailtuneError("usage", `${flagOf(key)}: needs --nats`);
	}
	if (data.tensors !== undefined && isWildcardAddress(data.tensors))
		throw new TailtuneError("usage", `--tensors: found ${data.tensors}, ${DIALABLE}`);
	return data;
}
