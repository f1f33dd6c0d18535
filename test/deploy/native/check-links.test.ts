import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { checkLinks, missingIn } from "../../../deploy/native/check-links.ts";
import { newFolder } from "../../cli/tailtune.ts";

test("a library that misses another is named, one that misses only the driver's is not", (t) => {
	const report = [
		"\tlibcuda.so.1 => not found",
		"\tlibcudart.so.12 => not found",
		"\tlibc.so.6 => /lib/libc.so.6 (0x1)",
	].join("\n");
	t.deepEqual(missingIn(report), ["libcudart.so.12"]);
});

test("what is linked as it should passes, what is no library is an error", async (t) => {
	const folder = await newFolder();
	await copyFile(process.execPath, join(folder, "node.so"));
	await t.notThrowsAsync(checkLinks(folder));
	await writeFile(join(folder, "text.so.2"), "text");
	await t.throwsAsync(checkLinks(folder), { code: "engine", message: /ldd failed/ });
});
