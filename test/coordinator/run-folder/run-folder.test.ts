import { stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { createRunFolder, reopenRunFolder } from "../../../coordinator/run-folder/run-folder.ts";
import { trainConfigSchema } from "../../../shared/settings/config.ts";
import { newFolder } from "../../new-folder.ts";

test("a new run's folder is accessible only to this user, independent of the umask", async (t) => {
	const umask = process.umask(0);
	t.teardown(() => process.umask(umask));
	const out = join(await newFolder(), "runs", "one");
	const folder = await createRunFolder({ ...trainConfigSchema.parse({}), out });
	t.is((await stat(out)).mode & 0o777, 0o700);
	await folder.release();
});

test("a run folder that can't be read to its end is not left locked", async (t) => {
	const out = join(await newFolder(), "run");
	await (await createRunFolder({ ...trainConfigSchema.parse({}), out })).release();
	// A link to itself: the system can't say whether the run is finished.
	await symlink("result.json", join(out, "result.json"));
	for (let tries = 0; tries < 2; tries++) await t.throwsAsync(reopenRunFolder(out), { code: "disk" });
});
