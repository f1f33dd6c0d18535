import { readFile, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import { status as Status } from "@grpc/grpc-js";
import test from "ava";
import { start } from "../cli/tailtune.ts";
import { newFolder } from "../new-folder.ts";
import { makeCertificates } from "../shared/rpc/certificates.ts";
import { makeRun } from "./run-folder.ts";
import { classify, connect, post, startServer, statusOf } from "./server.ts";

test("a token allows only the requests of its role, and requests without a token are refused", async (t) => {
	const tokenFile = join(await newFolder(), "tokens");
	await writeFile(tokenFile, "texts-only classify\nprobes-only monitor\n");
	const server = await startServer(t, await makeRun(), ["--token-file", tokenFile]);
	const ask = async (token?: string) => {
		const client = await connect(t, server.address, { token });
		return (await statusOf(classify(client, { text: "hello" }))).code;
	};
	t.is(await ask(), Status.UNAUTHENTICATED);
	t.is(await ask("wrong"), Status.UNAUTHENTICATED);
	t.is(await ask("probes-only"), Status.PERMISSION_DENIED);
	t.is(await ask("texts-only"), Status.OK);
	const http = async (path: string, token?: string, body?: string) => {
		const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
		const answer = body === undefined ? fetch(server.url + path, { headers }) : post(server, body, headers);
		return (await answer).status;
	};
	const body = '{"text":"hello"}';
	t.is(await http("/v1/classify", undefined, body), 401);
	t.is(await http("/v1/classify", "probes-only", body), 403);
	t.is(await http("/v1/classify", "texts-only", body), 200);
	t.is(await http("/metrics"), 401);
	t.is(await http("/metrics", "texts-only"), 403);
	t.is(await http("/metrics", "probes-only"), 200);
	t.is(await http("/healthz"), 200);
});

test("with --tls-ca only clients with a certificate of that CA are answered", async (t) => {
	const [own, foreign] = [await makeCertificates(t), await makeCertificates(t)];
	const flags = ["--tls-cert", own.certFile, "--tls-key", own.keyFile, "--tls-ca", own.caFile];
	const server = await startServer(t, await makeRun(), flags);
	const known = await connect(t, server.address, { tls: own });
	t.is((await statusOf(classify(known, { text: "hello" }))).code, Status.OK);
	for (const tls of [{ caFile: own.caFile }, { ...foreign, caFile: own.caFile }]) {
		const stranger = await connect(t, server.address, { tls });
		t.is((await statusOf(classify(stranger, { text: "hello" }, 2000))).code, Status.UNAVAILABLE);
	}
	const [ca, cert, key] = await Promise.all([own.caFile, own.certFile, own.keyFile].map((file) => readFile(file)));
	const get = (identity: object) =>
		new Promise<number | string>((resolve) => {
			const call = request(`${server.url.replace("http:", "https:")}/healthz`, { ca, ...identity }, (response) =>
				resolve(response.resume().statusCode ?? 0),
			);
			call.once("error", () => resolve("refused")).end();
		});
	t.is(await get({ cert, key }), 200);
	t.is(await get({}), "refused");
});

test("settings that can't be served are refused in one line", async (t) => {
	const run = await makeRun();
	const refusals: [args: string[], message: RegExp][] = [
		[[run, "--listen", "0.0.0.0:0"], /0\.0\.0\.0:0: to listen on a public address set a token/],
		[[run, "--listen", "127.0.0.1:0", "--http", "0.0.0.0:0"], /0\.0\.0\.0:0: to listen on a public address/],
		[[run, "--max-batch", "many"], /--max-batch: found "many", expected a number/],
		[[run, "--tls-cert", "cert.pem"], /--tls-cert, --tls-key: found one of them/],
		[[run, "--tensors", "10.0.0.5:50052"], /--tensors: needs --nats/],
		[
			[run, "--nats", "nats://127.0.0.1:9", "--tensors", "0.0.0.0:50052"],
			/--tensors: found 0\.0\.0\.0:50052, expected/,
		],
		[["/nowhere", "--listen", "127.0.0.1:0", "--log-level", "silent"], /\/nowhere: no run here/],
	];
	for (const [args, message] of refusals) {
		const { exitCode, stderr } = await start(["serve", ...args]);
		t.true(exitCode === 1 || exitCode === 2, args.join(" "));
		t.regex(String(stderr), message);
		t.is(String(stderr).trim().split("\n").length, 1);
	}
});
