// Program of a helping thread: does its share of each call.
import { parentPort, workerData } from "node:worker_threads";
import { type KernelThreadData, kernelsOver } from "./kernels.ts";
import { runChunks, type SharedCalls } from "./work-sharing.ts";

const { compiled, memory } = workerData as KernelThreadData;
const kernels = kernelsOver(compiled, memory);
parentPort?.on("message", (calls: SharedCalls) => runChunks(kernels, calls));
