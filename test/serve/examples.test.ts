import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { execa } from "execa";
import { makeRun } from "./run-folder.ts";
import { classify, connect, startServer } from "./server.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const examples = join(root, "deploy/examples");
const proto = join(root, "proto");
const text = 'say "WIN a prize"';

/** Whether a command succeeds. */
async function succeeds(command: string, ...args: string[]): Promise<boolean> {
	return !(await execa(command, args, { reject: false })).failed;
}

/** The examples, each with a command that succeeds if its tools are installed; missing tools aren't downloaded. */
const clients = [
	{
		name: "classify.ts",
		needs: ["node", "--version"],
		run: (address: string) => [
			process.execPath,
			"--import=./test/load-typescript.mjs",
			join(examples, "classify.ts"),
			address,
			proto,
			text,
		],
	},
	{
		name: "classify.py",
		needs: ["python3", "-c", "import grpc_tools"],
		run: (address: string) => ["python3", join(examples, "classify.py"), address, proto, text],
	},
	{
		name: "classify.sh",
		needs: ["grpcurl", "-version"],
		run: (address: string) => ["sh", join(examples, "classify.sh"), address, text],
	},
	{
		name: "go/main.go",
		// Only if its modules are already in Go's cache: downloading them would test the network.
		needs: [
			"env",
			"GOFLAGS=-mod=mod",
			"GOPROXY=off",
			"go",
			"build",
			"-C",
			join(examples, "go"),
			"-o",
			"/dev/null",
			".",
		],
		run: (address: string) => ["go", "run", "-C", join(examples, "go"), ".", address, proto, text],
	},
];

test("each example client prints the server's answer; examples whose tool isn't installed are logged", async (t) => {
	const server = await startServer(t, await makeRun());
	const { label } = await classify(await connect(t, server.address), { text, truncate: true });
	let ran = 0;
	for (const { name, needs, run } of clients) {
		const [tool = "", ...probe] = needs;
		if (!(await succeeds(tool, ...probe))) {
			t.log(`not run: ${name}, "${needs.join(" ")}" fails`);
			continue;
		}
		const [command = "", ...args] = run(server.address);
		const { stdout } = await execa(command, args);
		t.is(stdout.trim(), label, name);
		ran++;
	}
	t.true(ran >= 1);
});
