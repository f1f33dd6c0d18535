import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { execa } from "execa";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Lints an otherwise empty project with one file at `place`, and returns the linter's output. */
async function lint(place: string, content: string): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), "tailtune-import-rules-"));
	try {
		await symlink(join(root, "biome.json"), join(folder, "biome.json"));
		await mkdir(dirname(join(folder, place)), { recursive: true });
		await writeFile(join(folder, place), content);
		const { all } = await execa(join(root, "node_modules/.bin/biome"), ["lint", "--vcs-enabled=false", "."], {
			cwd: folder,
			reject: false,
			all: true,
		});
		return all ?? "";
	} finally {
		await rm(folder, { recursive: true });
	}
}

const forbidden: [place: string, imports: string, rule: string][] = [
	["coordinator/cluster/a.ts", "../../worker/session.ts", "coordinator/ never imports worker/"],
	["coordinator/training/a.ts", "../terminal/create-terminal.ts", "only cli/ imports terminal/"],
	["deploy/native/a.ts", "../../coordinator/main.ts", "deploy/ imports shared/ only"],
	["worker/run/session.ts", "onnxruntime-node", "tensor engines live in worker/engine/"],
	["coordinator/cluster/a.ts", "onnxruntime-node", "coordinator/ needs no tensor engine"],
	["coordinator/cluster/a.ts", "@tensorflow/tfjs", "coordinator/ needs no tensor engine"],
	["worker/a.ts", "../coordinator/config.ts", "worker/ never imports coordinator/"],
	["shared/a.ts", "../worker/session.ts", "shared/ is what both sides speak and imports neither"],
	["shared/a.ts", "@tensorflow/tfjs-core", "tensor engines live in worker/engine/"],
];

for (const [place, imports, rule] of forbidden) {
	test(`${place} may not import ${imports}`, async (t) => {
		t.true((await lint(place, `export { x } from "${imports}";\n`)).includes(rule));
		t.true((await lint(place, `export const x = await import("${imports}");\n`)).includes(rule));
	});
}

test("imports that the rules allow are accepted", async (t) => {
	t.regex(await lint("worker/engine/a.ts", 'export { x } from "onnxruntime-node";\n'), /No fixes applied/);
	const terminal = 'export { x } from "../terminal/create-terminal.ts";\n';
	t.regex(await lint("coordinator/cli/a.ts", terminal), /No fixes applied/);
});
