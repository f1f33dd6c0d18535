// The side of a thread that helps: takes its share of each call.
import { parentPort, workerData } from "node:worker_threads";
import type { KernelThreadData } from "./kernel-threads.ts";
import { kernelsOver } from "./kernels.ts";
import { type SharedCall, takeStretches } from "./work-sharing.ts";

const { compiled, memory } = workerData as KernelThreadData;
const kernels = kernelsOver(compiled, memory);
parentPort?.on("message", (call: SharedCall) => takeStretches(kernels, call));
