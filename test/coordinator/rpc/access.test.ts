import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import test from "ava";
import { Hono } from "hono";
import { serveTensors } from "../../../coordinator/exchange/grpc-coordinator-tensors.ts";
import { listenHttp } from "../../../coordinator/http/listen-http.ts";
import { createServer } from "../../../coordinator/rpc/server.ts";
import { TailtuneError } from "../../../shared/errors.ts";
import { readToken } from "../../../shared/rpc/credentials.ts";
import { connectTensors } from "../../../worker/exchange/grpc-worker-tensors.ts";
import { makeCertificates } from "../../shared/rpc/certificates.ts";

const workerId = "worker";

test("a worker with the right token is accepted; without it or with another one it is refused and counted", async (t) => {
	const server = await serveTensors({ token: "right-token" });
	t.teardown(() => server.close());
	const worker = await connectTensors(server.address, { workerId, token: "right-token" });
	await worker.close();
	t.is(server.refusals.size, 0);
	const missing = connectTensors(server.address, { workerId });
	await t.throwsAsync(missing, { code: "denied", message: /Attach: no bearer token/ });
	for (const token of ["right-toke", "right-token2", "Right-token"]) {
		const wrong = connectTensors(server.address, { workerId, token });
		await t.throwsAsync(wrong, { code: "denied", message: /wrong bearer token/ });
	}
	t.deepEqual([...server.refusals], [["REFUSAL_TOKEN", 4]]);
	t.deepEqual(server.workers, []);
});

test("with TLS a worker that trusts the CA is accepted", async (t) => {
	const { caFile, certFile, keyFile } = await makeCertificates(t);
	const server = await serveTensors({ tls: { certFile, keyFile }, token: "token" });
	t.teardown(() => server.close());
	const worker = await connectTensors(server.address, { workerId, tls: { caFile }, token: "token" });
	t.deepEqual(server.workers, [workerId]);
	await worker.close();
});

test("a worker doesn't connect to a server with a certificate for another host", async (t) => {
	const { caFile, certFile, keyFile } = await makeCertificates(t, "elsewhere.example");
	const server = await serveTensors({ tls: { certFile, keyFile } });
	t.teardown(() => server.close());
	const address = server.address.replace("127.0.0.1", "localhost");
	const refused = connectTensors(address, { workerId, tls: { caFile }, token: "token" });
	await t.throwsAsync(refused, { code: "denied", message: /elsewhere\.example/ });
	t.deepEqual(server.workers, []);
});

test("a worker doesn't connect to a server with a certificate of another CA", async (t) => {
	const [files, others] = [await makeCertificates(t), await makeCertificates(t)];
	const server = await serveTensors({ tls: { certFile: files.certFile, keyFile: files.keyFile } });
	t.teardown(() => server.close());
	const stranger = connectTensors(server.address, { workerId, tls: { caFile: others.caFile }, token: "token" });
	await t.throwsAsync(stranger, { code: "denied", message: /certificate/ });
	await t.throwsAsync(connectTensors(server.address, { workerId }), { code: "offline" }, "plain text");
	t.deepEqual(server.workers, []);
});

test("with mTLS only a worker with a certificate of the CA is accepted", async (t) => {
	const [files, others] = [await makeCertificates(t), await makeCertificates(t)];
	const server = await serveTensors({ tls: files });
	t.teardown(() => server.close());
	const worker = await connectTensors(server.address, { workerId, tls: files });
	t.deepEqual(server.workers, [workerId]);
	await worker.close();
	const { caFile } = files;
	const { certFile, keyFile } = others;
	for (const tls of [{ caFile }, { caFile, certFile, keyFile }]) {
		const error = await t.throwsAsync(connectTensors(server.address, { workerId, tls }));
		t.true(error instanceof TailtuneError && ["denied", "offline"].includes(error.code), error?.message);
		t.deepEqual(server.workers, []);
	}
});

test("a server on a public address needs a token or mTLS", async (t) => {
	for (const listen of ["0.0.0.0:0", "[::]:0", "example.invalid:0"]) {
		await t.throwsAsync(createServer({ listen }, []), { code: "usage", message: /set a token, or TLS with a CA/ });
	}
	await t.throwsAsync(createServer({ listen: "50051" }, []), { code: "usage", message: /HOST:PORT/ });
	const server = await serveTensors({ listen: "0.0.0.0:0", token: "token" });
	await server.close();
});

test("an address in use is named with its flag", async (t) => {
	const server = await createServer({}, []);
	t.teardown(() => server.close());
	const { address } = server;
	const reason = "the port is in use, expected a free one, or 0 for any free port";
	const another = createServer({ listen: address, flag: "--listen" }, []);
	await t.throwsAsync(another, { code: "usage", message: `--listen ${address}: ${reason}` });
	const overHttp = listenHttp(new Hono(), { address, flag: "--http" }, undefined, true);
	await t.throwsAsync(overHttp, { code: "usage", message: `--http ${address}: ${reason}` });
});

test("TLS files that can't be used are named", async (t) => {
	const files = await makeCertificates(t);
	const { certFile, keyFile } = files;
	await t.throwsAsync(serveTensors({ tls: { certFile: "nowhere.pem", keyFile } }), {
		code: "not-found",
		message: "nowhere.pem: no such file or folder",
	});
	await t.throwsAsync(serveTensors({ tls: { certFile } }), { code: "denied", message: /certificate and its key/ });
	await writeFile(certFile, "no certificate");
	await t.throwsAsync(serveTensors({ tls: files }), { code: "denied", message: /cert\.pem/ });
	await t.throwsAsync(connectTensors("127.0.0.1:1", { workerId, tls: files }), {
		code: "denied",
		message: /cert\.pem/,
	});
	t.true(keyFile.endsWith("key.pem"));
});

test("a token comes from a file or the environment, never empty", async (t) => {
	const { keyFile } = await makeCertificates(t);
	const file = join(dirname(keyFile), "token");
	await writeFile(file, "  secret-1\n");
	t.is(await readToken({ file }), "secret-1");
	t.is(await readToken({}), undefined);
	process.env.TAILTUNE_TEST_TOKEN = "secret-2";
	t.is(await readToken({ environment: "TAILTUNE_TEST_TOKEN" }), "secret-2");
	delete process.env.TAILTUNE_TEST_TOKEN;
	await t.throwsAsync(readToken({ environment: "TAILTUNE_TEST_TOKEN" }), {
		code: "denied",
		message: /environment variable TAILTUNE_TEST_TOKEN: found nothing/,
	});
	for (const content of ["", "two words", "schlüssel"]) {
		await writeFile(file, content);
		const error = await t.throwsAsync(readToken({ file }), { code: "denied" });
		t.true(error?.message.startsWith(file));
		if (content) t.false(error?.message.includes(content), "a secret isn't shown");
	}
});
