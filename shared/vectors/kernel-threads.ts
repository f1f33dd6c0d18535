import { debuglog } from "node:util";
import type { Worker } from "node:worker_threads";
import { startThread } from "../threads/start-thread.ts";
import type { DividedCall, Kernels, KernelThreadData } from "./kernels.ts";
import { awaitChunks, runChunks, shareCalls } from "./work-sharing.ts";

const PROGRAM = new URL("./kernel-thread.ts", import.meta.url);

/** More threads would not help: memory bandwidth is the limit. */
const MOST_THREADS = 8;

const log = debuglog("tailtune");

const abandoned = new FinalizationRegistry((thread: Worker) => void thread.terminate());

/**
 * Threads that help the calling thread with its kernels. They don't keep the process alive, and end when their owner is
 * collected.
 */
export class KernelThreads {
	readonly #kernels: Kernels;
	readonly #data: KernelThreadData;
	readonly #threads: Worker[] = [];

	/** @param kernels those of the calling thread, over the memory in `data` */
	constructor(kernels: Kernels, data: KernelThreadData) {
		this.#kernels = kernels;
		this.#data = data;
	}

	/**
	 * Runs calls of the same kernel on up to this many threads, including the calling one. The others do the share of a
	 * thread that has not started yet or has ended.
	 */
	run(calls: readonly DividedCall[], threads: number): number {
		while (this.#threads.length < Math.min(threads, MOST_THREADS) - 1) this.#start();
		const shared = shareCalls(calls);
		for (const thread of this.#threads) thread.postMessage(shared);
		runChunks(this.#kernels, shared);
		return awaitChunks(shared);
	}

	#start(): void {
		const thread = startThread(PROGRAM, { data: this.#data, name: "kernels" });
		// The other threads do its share.
		thread.on("error", (error) => log("a kernel thread ended: %s", error));
		abandoned.register(this, thread);
		this.#threads.push(thread);
	}
}
