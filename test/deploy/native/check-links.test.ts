import { existsSync } from "node:fs";
import { copyFile, cp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { checkLinks, missingIn } from "../../../deploy/native/check-links.ts";
import { ADDON } from "../../../deploy/native/compile-addon.ts";
import { packageFolder } from "../../../deploy/native/npm-package.ts";
import { RECIPES } from "../../../deploy/native/wheels.ts";
import { runProgram } from "../../../shared/wheels/run-program.ts";
import { newFolder } from "../../new-folder.ts";

test("missing libraries are named, except the driver's", (t) => {
	const report = [
		"\tlibcuda.so.1 => not found",
		"\tlibcudart.so.12 => not found",
		"\tlibc.so.6 => /lib/libc.so.6 (0x1)",
	].join("\n");
	t.deepEqual(missingIn(report), ["libcudart.so.12"]);
});

test("a completely linked library passes, a file that isn't a library is an error", async (t) => {
	const folder = await newFolder();
	await copyFile(process.execPath, join(folder, "node.so"));
	await t.notThrowsAsync(checkLinks(folder));
	await writeFile(join(folder, "text.so.2"), "text");
	await t.throwsAsync(checkLinks(folder), { code: "engine", message: /ldd failed/ });
});

const built = packageFolder(RECIPES.cpu.package);

if (existsSync(join(built, ADDON))) {
	test("native TensorFlow finds its libraries after it was copied, as into an image", async (t) => {
		const folder = await newFolder();
		t.teardown(() => rm(folder, { recursive: true }));
		await cp(built, folder, { recursive: true });
		await checkLinks(folder);
		const report = await runProgram("ldd", [join(folder, ADDON)]);
		t.true(report.includes(`libtensorflow_cc.so.2 => ${folder}/`), report);
		t.false(report.includes(built), report);
	});
} else {
	test("NOT RUN on this machine: whether native TensorFlow can be moved", (t) => {
		t.log("npm run native -- cpu builds it");
		t.pass();
	});
}
