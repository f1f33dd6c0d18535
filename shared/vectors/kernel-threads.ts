import { debuglog } from "node:util";
import type { Worker } from "node:worker_threads";
import { startThread } from "../threads/start-thread.ts";
import type { KernelCall, Kernels } from "./kernels.ts";
import { awaitStretches, sharedCall, takeStretches } from "./work-sharing.ts";

/** What a thread is told when it starts. */
export interface KernelThreadData {
	readonly compiled: WebAssembly.Module;
	/** The memory that it shares. */
	readonly memory: WebAssembly.Memory;
}

const PROGRAM = new URL("./kernel-thread.ts", import.meta.url);

const log = debuglog("tailtune");

const abandoned = new FinalizationRegistry((thread: Worker) => void thread.terminate());

/** Threads that help the calling one with its kernels. They don't keep the process alive, and end with their owner. */
export class KernelThreads {
	readonly #kernels: Kernels;
	readonly #data: KernelThreadData;
	readonly #threads: Worker[] = [];

	/** @param kernels the calling thread's own, over the memory in `data` */
	constructor(kernels: Kernels, data: KernelThreadData) {
		this.#kernels = kernels;
		this.#data = data;
	}

	/** Does the call with as many threads, this one among them. A thread that isn't there yet, or not any more, misses it. */
	run(call: KernelCall, threads: number): number {
		while (this.#threads.length < threads - 1) this.#start();
		const shared = sharedCall(call);
		for (const thread of this.#threads) thread.postMessage(shared);
		takeStretches(this.#kernels, shared);
		return awaitStretches(shared);
	}

	#start(): void {
		const thread = startThread(PROGRAM, { data: this.#data, name: "kernels" });
		// The others do its share.
		thread.on("error", (error) => log("a kernel thread ended: %s", error));
		abandoned.register(this, thread);
		this.#threads.push(thread);
	}
}
