// Runs the program that is named in a thread, to its end.
import { once } from "node:events";
import { pathToFileURL } from "node:url";
import { startThread } from "../../../shared/threads/start-thread.ts";

const thread = startThread(pathToFileURL(process.argv[2] ?? ""), { data: {} });
thread.ref();
const [code] = await once(thread, "exit");
console.log(`ended with ${code}`);
