// A thread's own loader, whatever the flags of the process: a thread doesn't take over what was registered elsewhere.
import { workerData } from "node:worker_threads";
import { register } from "tsx/esm/api";

register();
await import(workerData.program);
