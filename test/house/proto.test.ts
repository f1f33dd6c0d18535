import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { execa } from "execa";

const root = fileURLToPath(new URL("../..", import.meta.url));
const WORK = "tailtune/v1/work.proto";

/** Copies proto/ and replaces the first `from` in work.proto by `to`. Returns the copy's folder. */
async function copyChanged(t: ExecutionContext, from: string, to: string): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), "tailtune-buf-"));
	t.teardown(() => rm(folder, { recursive: true }));
	await cp(join(root, "proto"), folder, { recursive: true });
	const text = await readFile(join(folder, WORK), "utf8");
	t.true(text.includes(from));
	await writeFile(join(folder, WORK), text.replace(from, to));
	return folder;
}

/** Runs a buf check of package.json's test script on a folder of messages. Returns the output. */
async function check(t: ExecutionContext, command: string, folder: string): Promise<string> {
	const { scripts } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
	const [call, ...others] = scripts.test.split(" && ").filter((step: string) => step.startsWith(`buf ${command} `));
	t.deepEqual(others, []);
	const args = call.split(" ").slice(1);
	const { all } = await execa(
		"buf",
		args.map((arg: string) => (arg === "proto" ? folder : arg)),
		{
			cwd: root,
			preferLocal: true,
			reject: false,
			all: true,
		},
	);
	return all;
}

test("a field may be added to a message", async (t) => {
	const folder = await copyChanged(t, "message WorkItem {", "message WorkItem {\n  // New.\n  uint32 added = 99;");
	t.is(await check(t, "lint", folder), "");
	t.is(await check(t, "breaking", folder), "");
});

test("a field of the last release can't get another number", async (t) => {
	const folder = await copyChanged(t, "repeated Sequence sequences = 6;", "repeated Sequence sequences = 99;");
	t.regex(await check(t, "breaking", folder), /field "6" with name "sequences" on message "WorkItem" was deleted/);
});

test("a field of the last release can't change its type", async (t) => {
	const folder = await copyChanged(t, "uint32 trunk_tokens = 5;", "string trunk_tokens = 5;");
	t.regex(await check(t, "breaking", folder), /type from "uint32" to "string"/);
});

test("messages obey buf's standard rules", async (t) => {
	const folder = await copyChanged(t, "uint32 example_id = 1;", "uint32 exampleId = 1;");
	t.regex(await check(t, "lint", folder), /"exampleId" should be lower_snake_case/);
});
