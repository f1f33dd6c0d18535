import { SHARE_ENV, type Worker } from "node:worker_threads";
import { TailtuneError } from "../../../shared/errors.ts";
import { fromSentError } from "../../../shared/sent-error.ts";
import { startThread } from "../../../shared/threads/start-thread.ts";
import type { Call, CallName, EngineCalls, Reply, ThreadData } from "./calls.ts";

const PROGRAM = new URL("./host.ts", import.meta.url);

interface PendingCall {
	readonly resolve: (result: never) => void;
	readonly reject: (error: Error) => void;
}

/** A running thread that holds engines. It keeps the process alive only while a call is pending. */
export class EngineThread {
	readonly #worker: Worker;
	readonly #pending = new Map<number, PendingCall>();
	#calls = 0;
	#ended: TailtuneError | undefined;

	/** @param enginesModule URL of the `EnginesModule` that the thread loads */
	constructor(enginesModule: URL) {
		const data: ThreadData = { enginesModule: enginesModule.href };
		// By default a thread has a copy of the environment, but native libraries read the environment of the process.
		this.#worker = startThread(PROGRAM, { data, env: SHARE_ENV, name: "engine" });
		this.#worker.on("message", (reply: Reply) => this.#settle(reply));
		this.#worker.on("messageerror", (error) => this.#end(`an answer can't be decoded: ${error.message}`, error));
		this.#worker.on("error", (error) => this.#end(String(error?.message ?? error), error));
		this.#worker.on("exit", (code) => this.#end(`ended with exit code ${code}`));
	}

	/** Whether the thread crashed or was terminated. Then every call fails. */
	get hasEnded(): boolean {
		return this.#ended !== undefined;
	}

	/**
	 * Calls a function in the thread.
	 * @param moved memory in the arguments that is moved to the thread
	 * @throws the errors of the thread, a TailtuneError with its code; TailtuneError "engine" if the thread ends
	 */
	call<Name extends CallName>(
		name: Name,
		args: Parameters<EngineCalls[Name]>,
		moved: readonly ArrayBuffer[] = [],
	): Promise<ReturnType<EngineCalls[Name]>> {
		if (this.#ended) return Promise.reject(this.#ended);
		return new Promise((resolve, reject) => {
			const call: Call<Name> = { id: this.#calls++, name, args };
			this.#worker.postMessage(call, moved);
			this.#pending.set(call.id, { resolve, reject });
			this.#worker.ref();
		});
	}

	/** Frees an engine's memory. If the thread has ended, the memory is already free. */
	async dispose(name: "disposeTrunk" | "disposeTail", session: number): Promise<void> {
		try {
			await this.call(name, [session]);
		} catch (error) {
			if (error !== this.#ended) throw error;
		}
	}

	/** Ends the thread, even during a computation. Pending calls are rejected. */
	async terminate(): Promise<void> {
		this.#end("terminated");
		await this.#worker.terminate();
	}

	#settle(reply: Reply): void {
		const pending = this.#pending.get(reply.id);
		this.#pending.delete(reply.id);
		if (this.#pending.size === 0) this.#worker.unref();
		if ("error" in reply) pending?.reject(fromSentError(reply.error));
		else pending?.resolve(reply.result as never);
	}

	#end(reason: string, cause?: unknown): void {
		const [line] = reason.split("\n", 1);
		this.#ended ??= new TailtuneError("engine", `engine thread: ${line}`, { cause });
		for (const { reject } of this.#pending.values()) reject(this.#ended);
		this.#pending.clear();
		this.#worker.unref();
	}
}
