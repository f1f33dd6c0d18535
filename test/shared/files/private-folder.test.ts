import { execFile } from "node:child_process";
import { chmod, chown, lstat, mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import test, { type ExecutionContext } from "ava";
import { ownCacheFolder } from "../../../shared/files/cache-folder.ts";
import { makePrivateFolder } from "../../../shared/files/private-folder.mjs";
import { newFolder } from "../../new-folder.ts";

const modeOf = async (path: string) => (await lstat(path)).mode & 0o777;

/** Another user of this machine: Debian's `nobody`. */
const NOBODY = 65_534;

/** A user without a name. */
const OTHER = 12_345;

/** Only root can give a folder to another user; other users test with root's folders. */
const isRoot = process.geteuid?.() === 0;

/** Runs a program in a user namespace without other users, as sandboxes do. */
const sandbox = [
	...(isRoot ? ["setpriv", `--reuid=${OTHER}`, "--clear-groups"] : []),
	...["unshare", "--user", "--map-current-user"],
];
const inSandbox = (...program: readonly string[]) => {
	const [command = "", ...args] = [...sandbox, ...program];
	return promisify(execFile)(command, args);
};
const hasSandbox = await inSandbox("true").then(
	() => true,
	() => false,
);

test("a private folder and its parents are created for this user only, independent of the umask", async (t) => {
	const umask = process.umask(0);
	t.teardown(() => process.umask(umask));
	const base = await newFolder();
	const path = join(base, "outer", "tailtune");
	t.is(makePrivateFolder(path), path);
	t.is(await modeOf(path), 0o700);
	t.is(await modeOf(join(base, "outer")), 0o700);
	t.is(makePrivateFolder(path), path, "and found again");
});

test("a folder that others can read is made private; one that others can write to is refused", async (t) => {
	const path = join(await newFolder(), "tailtune");
	await mkdir(path);
	await chmod(path, 0o755);
	makePrivateFolder(path);
	t.is(await modeOf(path), 0o700);
	for (const mode of [0o720, 0o702, 0o777, 0o1777]) {
		await chmod(path, mode);
		t.throws(() => makePrivateFolder(path), { message: /users may write to it/ }, mode.toString(8));
		t.is(await modeOf(path), mode & 0o777);
	}
});

async function refused(t: ExecutionContext, path: string, reason: RegExp): Promise<void> {
	t.throws(() => makePrivateFolder(path), { message: reason });
}

test("a link or a file with the folder's name is refused", async (t) => {
	const base = await newFolder();
	await mkdir(join(base, "elsewhere"));
	await symlink(join(base, "elsewhere"), join(base, "tailtune"));
	await refused(t, join(base, "tailtune"), /tailtune: is a link or a file, expected a folder/);
	await symlink(join(base, "nowhere"), join(base, "dangling"));
	await refused(t, join(base, "dangling"), /dangling: is a link or a file/);
	await writeFile(join(base, "file"), "");
	await refused(t, join(base, "file"), /file: is a link or a file/);
	t.deepEqual(await readdir(join(base, "elsewhere")), []);
});

test("a parent folder that all users may write to is refused, unless it has the sticky bit like /tmp", async (t) => {
	const base = await newFolder();
	await mkdir(join(base, "shared"));
	await chmod(join(base, "shared"), 0o777);
	await refused(t, join(base, "shared", "tailtune"), /shared: all users may write to it/);
	await refused(t, join(base, "shared", "own", "tailtune"), /shared: all users may write to it/);
	await chmod(join(base, "shared"), 0o1777);
	t.notThrows(() => makePrivateFolder(join(base, "shared", "tailtune")));
});

test("a folder of another user is refused, also as a parent", async (t) => {
	const base = await newFolder();
	if (isRoot) {
		for (const name of ["theirs", "home"]) {
			await mkdir(join(base, name), { mode: 0o700 });
			await chown(join(base, name), NOBODY, NOBODY);
		}
		await refused(t, join(base, "theirs"), /theirs: belongs to user 65534, expected 0/);
		await refused(t, join(base, "home", ".cache", "tailtune"), /home: belongs to user 65534, expected 0 or root/);
	} else await refused(t, "/usr", /usr: belongs to user 0, expected \d+$/);
});

if (hasSandbox) {
	test("in a sandbox, where the system's folders have an unknown owner, a folder below them is created", async (t) => {
		const base = await newFolder();
		if (isRoot) await chown(base, OTHER, OTHER);
		const module = new URL("../../../shared/files/private-folder.mjs", import.meta.url).href;
		const program = `import { makePrivateFolder } from ${JSON.stringify(module)}; makePrivateFolder(process.argv[1])`;
		await inSandbox(process.execPath, "--input-type=module", "--eval", program, join(base, "tailtune"));
		t.is(await modeOf(join(base, "tailtune")), 0o700);
	});
} else {
	test("NOT RUN on this machine: a private folder in a sandbox", (t) => {
		t.log("needs unshare --user (Linux with user namespaces for all users)");
		t.pass();
	});
}

test("the cache is in XDG_CACHE_HOME, or else in ~/.cache; if it can't be made, the error names it", async (t) => {
	const base = await newFolder();
	t.is(ownCacheFolder({ XDG_CACHE_HOME: join(base, "cache") }), join(base, "cache", "tailtune"));
	await chmod(join(base, "cache", "tailtune"), 0o777);
	t.throws(() => ownCacheFolder({ XDG_CACHE_HOME: join(base, "cache") }), {
		code: "disk",
		message: /cache\/tailtune: /,
	});
	await writeFile(join(base, "file"), "");
	t.throws(() => ownCacheFolder({ XDG_CACHE_HOME: join(base, "file") }), { code: "disk", message: /cache folder/ });
});
