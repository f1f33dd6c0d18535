import type { TailSpec } from "../../../shared/messages.ts";
import type { ModelFiles } from "../../../shared/model/model-files.ts";
import type { EngineChoice } from "../../../shared/worker-port/engine-choice.ts";
import type { EngineInfo, EngineInfos, Engines, Trunk } from "../engine.ts";
import type { RunEngineChoice } from "../open-engines.ts";
import { EngineThread } from "./engine-thread.ts";
import { ThreadTail } from "./thread-tail.ts";

/**
 * Engines that compute in a separate thread, so that no computation delays a heartbeat. All runs of a process share one
 * thread: native TensorFlow can be loaded by one thread only, and items are computed one at a time anyway. The thread
 * starts at the first call, and after a crash again at the next call.
 */
export class ThreadEngines {
	readonly #enginesModule: URL;
	#thread: EngineThread | undefined;

	/** @param enginesModule URL of the `EnginesModule` that the thread loads; default: `open-engines.ts` */
	constructor(enginesModule = new URL("../open-engines.ts", import.meta.url)) {
		this.#enginesModule = enginesModule;
	}

	/** Calls `openEngines` in the thread. Throws the same errors, and TailtuneError "engine" if the thread ends. */
	async openEngines(model: ModelFiles, spec: TailSpec, choice: RunEngineChoice): Promise<Engines> {
		const thread = this.#running();
		const { session, trunk, tail } = await thread.call("open", [model.folder, spec, choice]);
		return {
			trunk: trunk && openThreadTrunk(thread, session, trunk),
			tail: new ThreadTail(thread, session, tail),
		};
	}

	/** Calls `describeEngines` in the thread. Throws the same errors as `openEngines` here. */
	describeEngines(choice: EngineChoice): Promise<EngineInfos> {
		return this.#running().call("describe", [choice]);
	}

	/** Ends the thread, even during a computation. Pending calls are rejected with TailtuneError "engine". */
	async terminate(): Promise<void> {
		await this.#thread?.terminate();
	}

	#running(): EngineThread {
		if (!this.#thread || this.#thread.hasEnded) this.#thread = new EngineThread(this.#enginesModule);
		return this.#thread;
	}
}

function openThreadTrunk(thread: EngineThread, session: number, info: EngineInfo): Trunk {
	return {
		info,
		hiddenStates: (sequences) => thread.call("hiddenStates", [session, sequences]),
		dispose: () => thread.dispose("disposeTrunk", session),
	};
}
