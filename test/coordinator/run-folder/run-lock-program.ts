import { spawn } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lockRunFolder } from "../../../coordinator/run-folder/run-lock.ts";

// hold FOLDER: takes the lock, starts a child process, prints its id, and waits to be killed.
// turns FOLDER COUNT: takes the lock COUNT times, and prints how often another process had it at the same time.
const [command, folder = "", count = "0"] = process.argv.slice(2);

if (command === "hold") {
	const { runId } = await lockRunFolder(folder);
	const child = spawn("sleep", ["600"], { stdio: "ignore" });
	process.stdout.write(`${JSON.stringify({ runId, child: child.pid })}\n`);
	setInterval(() => {}, 1e6);
} else {
	const inside = join(folder, "inside");
	let collisions = 0;
	for (let taken = 0; taken < Number(count); ) {
		const lock = await lockRunFolder(folder).catch(() => undefined);
		if (!lock) continue;
		taken++;
		try {
			writeFileSync(inside, "", { flag: "wx" });
			rmSync(inside);
		} catch {
			collisions++;
		}
		await lock.release();
	}
	process.stdout.write(JSON.stringify({ collisions }));
}
