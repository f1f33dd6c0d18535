// A thread's own loader, whatever the flags of the process: a thread doesn't take over what was registered elsewhere.
import { workerData } from "node:worker_threads";
import "../load-typescript.mjs";

await import(workerData.program);
