import { stat } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { createRunFolder } from "../../../coordinator/run-folder/run-folder.ts";
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
