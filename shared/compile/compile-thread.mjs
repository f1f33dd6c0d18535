// Program of a thread that compiles, so that its memory is free again afterwards. A worker that had compiled in its
// main thread took 1.4 times as long for each step of a run.
import { parentPort, workerData } from "node:worker_threads";
import { compile } from "./compile.mjs";

const { files, inputs, digest } = await compile(workerData);
parentPort?.postMessage({ files, inputs, digest });
