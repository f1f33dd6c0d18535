// Runs the program that is named in a thread that shares the environment, to its end; nothing of it may be changed.
import { tmpdir } from "node:os";
import { pathToFileURL } from "node:url";
import { SHARE_ENV } from "node:worker_threads";
import { startThread } from "../../../shared/threads/start-thread.ts";

const thread = startThread(pathToFileURL(process.argv[2] ?? ""), { data: {}, env: SHARE_ENV });
thread.ref();
const seen = new Set<string>();
const look = setInterval(() => seen.add(`${tmpdir()} ${process.env.TSX_DISABLE_CACHE}`), 0);
thread.once("exit", (code) => {
	clearInterval(look);
	console.log([...seen, `ended with ${code}`].join("\n"));
});
