import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { connect } from "nats";
import { readRunResult } from "../../coordinator/run-folder/result-files.ts";
import { updatePartCodec } from "../../shared/messages.ts";
import { callHere, QUICK, writeTexts } from "../cli/tailtune.ts";
import { startNatsServer } from "../nats-server.ts";
import { newFolder } from "../new-folder.ts";
import { makeCertificates } from "../shared/rpc/certificates.ts";
import { RunProcess, startWorkerProcess } from "./processes.ts";

const config = fileURLToPath(new URL("../../deploy/nats/nats-tls.conf", import.meta.url));

test.serial(
	"a run with TLS and credentials for NATS and mTLS for tensors; without any of them access is refused",
	async (t) => {
		const folder = await newFolder();
		const { caFile, certFile, keyFile } = await makeCertificates(t);
		Object.assign(process.env, { TAILTUNE_NATS_TLS_CERT: certFile, TAILTUNE_NATS_TLS_KEY: keyFile });
		for (const role of ["COORDINATOR", "WORKER", "CLIENT"]) process.env[`TAILTUNE_${role}_PASSWORD`] = `of-${role}`;
		const server = await startNatsServer({ config });
		t.teardown(() => server.stop());
		const as = async (role: string) => {
			const file = join(folder, role);
			await writeFile(file, `of-${role.toUpperCase()}\n`, { mode: 0o600 });
			return { TAILTUNE_NATS_USER: role, TAILTUNE_NATS_PASSWORD_FILE: file, TAILTUNE_NATS_CA_FILE: caFile };
		};
		const mutual = ["--tls-ca", caFile, "--tls-cert", certFile, "--tls-key", keyFile];
		const cache = join(folder, "cache");
		const worker = await startWorkerProcess(server.url, cache, { env: await as("worker") }, ...mutual);
		t.teardown(() => worker.end());
		const data = ["--data", await writeTexts(30), ...QUICK];
		const run = new RunProcess([...data, "--nats", server.url, ...mutual, "--out", join(folder, "run")], {
			env: await as("coordinator"),
		});
		const watching = { servers: server.url, user: "worker", pass: "of-WORKER", tls: { caFile } };
		const raw = await connect({ ...watching, inboxPrefix: "tailtune.inbox.worker" });
		t.teardown(() => raw.close());
		const versions = new Set<number | undefined>();
		raw.subscribe("tailtune.updates.*", {
			callback: (_, { data }) => versions.add(updatePartCodec.decode(data).header?.parameterVersion),
		});
		await raw.flush();
		t.is(await run.end(), "");
		await raw.flush();
		t.is(versions.size, (await readRunResult(join(folder, "run"))).audit.steps);

		const tried = async (env: Record<string, string>, ...args: string[]) => {
			const { exitCode, stdout, stderr } = await callHere([...args, "--nats", server.url], env);
			return exitCode === 0 ? stdout : stderr;
		};
		const client = await as("client");
		t.is(await tried(client, "runs"), "no runs");
		t.regex(String(await tried({ ...client, TAILTUNE_NATS_USER: "worker" }, "runs")), /rejects the credentials/);
		t.regex(String(await tried({ ...client, TAILTUNE_NATS_CA_FILE: keyFile }, "runs")), /can't be reached/);
		t.regex(
			String(await tried(client, "train", ...data, "--shards", "1", "--out", join(folder, "no"))),
			/[Pp]ermission/,
		);
		t.regex(
			String(
				await tried(await as("coordinator"), "train", ...data, "--out", join(folder, "no"), "--listen", "0.0.0.0:0"),
			),
			/--listen 0\.0\.0\.0:0: expected an address or name of this host to which workers can connect, or --advertise with one/,
		);
		t.regex(
			String(
				await tried(
					await as("coordinator"),
					"train",
					...data,
					"--out",
					join(folder, "no"),
					"--listen",
					"example.invalid:0",
				),
			),
			/to listen on a public address set a token/,
		);
		t.regex(String(await tried({ TAILTUNE_NATS_CERT_FILE: certFile }, "runs")), /KEY_FILE: found one, expected both/);
	},
);
