import { readFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { createServerStarter } from "../../../coordinator/training/run-server.ts";
import { completeConfig, flagOf } from "../../../shared/settings/resolve-config.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const config = completeConfig({}, flagOf);

test.serial("a server that doesn't listen in time, or ends, is refused, and its process is gone", async (t) => {
	const program = process.argv[1] as string;
	t.teardown(() => (process.argv[1] = program));
	const writePid = 'require("node:fs").writeFileSync(process.argv[3] + "/pid", String(process.pid));';
	for (const then of ["setInterval(() => {}, 1000);", "process.exit(1);"]) {
		const run = await temporaryFolder(t, { "server.cjs": writePid + then });
		process.argv[1] = join(run, "server.cjs");
		const refused = createServerStarter("127.0.0.1:0", 2_000)(run, config);
		await t.throwsAsync(refused, { code: "usage", message: "--serve 127.0.0.1:0: the server didn't start" });
		const pid = Number(await readFile(join(run, "pid"), "utf8"));
		t.throws(() => process.kill(pid, 0), { code: "ESRCH" });
	}
});
