import type { TailSpec } from "../../../shared/messages.ts";
import type { ModelFiles } from "../../../shared/model/model-files.ts";
import type { EngineChoice } from "../../../shared/worker-port.ts";
import type { EngineInfo, Trunk } from "../engine.ts";
import type { Engines, RunEngineChoice } from "../open-engines.ts";
import type { EngineInfos } from "./calls.ts";
import { EngineThread } from "./engine-thread.ts";
import { ThreadTail } from "./thread-tail.ts";

/**
 * Engines that compute in a thread of their own, so that no computation delays a sign of life. One thread for all
 * runs of a process: native TensorFlow can be loaded by one thread only, and one item is computed at a time anyway. It starts
 * with the first call; after a crash, with the next one.
 */
export class ThreadEngines {
	readonly #enginesModule: URL;
	#thread: EngineThread | undefined;

	/** @param enginesModule what opens engines in the thread, an `EnginesModule`; default: the real ones */
	constructor(enginesModule = new URL("../open-engines.ts", import.meta.url)) {
		this.#enginesModule = enginesModule;
	}

	/** `openEngines` in the thread. Throws like it, and TailtuneError "engine" where the thread can't go on. */
	async openEngines(model: ModelFiles, spec: TailSpec, choice: RunEngineChoice): Promise<Engines> {
		const thread = this.#running();
		const { session, trunk, tail } = await thread.call("open", [model.folder, spec, choice]);
		return {
			trunk: trunk && openThreadTrunk(thread, session, trunk),
			tail: new ThreadTail(thread, session, tail),
		};
	}

	/** `describeEngines` in the thread. Throws like `openEngines`. */
	describeEngines(choice: EngineChoice): Promise<EngineInfos> {
		return this.#running().call("describe", [choice]);
	}

	/** Ends the thread and what it computes; what was waited for is rejected with TailtuneError "engine". */
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
