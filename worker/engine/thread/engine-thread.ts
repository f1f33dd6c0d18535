import { SHARE_ENV, type Worker } from "node:worker_threads";
import { TailtuneError } from "../../../shared/errors.ts";
import { startThread } from "../../../shared/threads/start-thread.ts";
import { type Call, type CallName, type EngineCalls, type Reply, received, type ThreadData } from "./calls.ts";

const PROGRAM = new URL("./host.ts", import.meta.url);

interface Waiting {
	readonly resolve: (result: never) => void;
	readonly reject: (error: Error) => void;
}

/** A running thread that engines live in. It keeps the process alive only while an answer of it is awaited. */
export class EngineThread {
	readonly #worker: Worker;
	readonly #waiting = new Map<number, Waiting>();
	#calls = 0;
	#ended: TailtuneError | undefined;

	/** @param enginesModule what opens engines there, an `EnginesModule` */
	constructor(enginesModule: URL) {
		const data: ThreadData = { enginesModule: enginesModule.href };
		// Native libraries read the process's environment, where a thread by default sets variables of a copy of its own.
		this.#worker = startThread(PROGRAM, { data, env: SHARE_ENV, name: "engine" });
		this.#worker.on("message", (reply: Reply) => this.#settle(reply));
		this.#worker.on("messageerror", (error) => this.#end(`an answer can't be read: ${error.message}`, error));
		this.#worker.on("error", (error) => this.#end(String(error?.message ?? error), error));
		this.#worker.on("exit", (code) => this.#end(`ended with exit code ${code}`));
	}

	/** Whether it crashed or was ended: nothing can be called any more. */
	get hasEnded(): boolean {
		return this.#ended !== undefined;
	}

	/**
	 * @param moved memory in the arguments that is the thread's from here on
	 * @throws what the thread throws, a TailtuneError with its code; TailtuneError "engine" where the thread ends
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
			this.#waiting.set(call.id, { resolve, reject });
			this.#worker.ref();
		});
	}

	/** Gives an engine's memory back; with the thread's end it is given back anyway. */
	async dispose(name: "disposeTrunk" | "disposeTail", session: number): Promise<void> {
		try {
			await this.call(name, [session]);
		} catch (error) {
			if (error !== this.#ended) throw error;
		}
	}

	/** Ends the thread, in mid-computation too if need be; what was waited for is rejected. */
	async terminate(): Promise<void> {
		this.#end("was ended");
		await this.#worker.terminate();
	}

	#settle(reply: Reply): void {
		const waiting = this.#waiting.get(reply.id);
		this.#waiting.delete(reply.id);
		if (this.#waiting.size === 0) this.#worker.unref();
		if ("error" in reply) waiting?.reject(received(reply.error));
		else waiting?.resolve(reply.result as never);
	}

	#end(what: string, cause?: unknown): void {
		const [line] = what.split("\n", 1);
		this.#ended ??= new TailtuneError("engine", `engine thread: ${line}`, { cause });
		for (const { reject } of this.#waiting.values()) reject(this.#ended);
		this.#waiting.clear();
		this.#worker.unref();
	}
}
