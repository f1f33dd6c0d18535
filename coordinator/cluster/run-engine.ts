import type { WorkerInfo } from "../../shared/messages.ts";
import type { Notices } from "../../shared/notices.ts";

/**
 * The engine of a run, which is the engine of its first worker: only the same engine in the same version computes the
 * same bits. A worker with another engine takes no part in the run, unless mixed engines are allowed.
 */
export class RunEngine {
	readonly #notices: Notices;
	readonly #areMixed: boolean;
	#first: { readonly engine: string; readonly device: string } | undefined;

	/** @param areMixed whether workers with other engines take part too */
	constructor(notices: Notices, areMixed: boolean) {
		this.#notices = notices;
		this.#areMixed = areMixed;
	}

	/** Whether a worker takes part in the run; differences are reported as notices. */
	accepts(worker: WorkerInfo): boolean {
		const own = { engine: describeEngine(worker), device: worker.device };
		this.#first ??= own;
		const { engine, device } = this.#first;
		const mention = (text: string) => this.#notices.mention("engines", text);
		if (own.engine !== engine && !this.#areMixed) {
			const expected = `expected ${engine} like the run's first worker, because other engines round differently`;
			mention(
				`worker ${worker.workerId} takes no part: found ${own.engine}, ${expected}; use --mixed-engines to allow it`,
			);
			return false;
		}
		const differ = own.engine !== engine ? `${engine} and ${own.engine}` : `${device} and ${own.device}`;
		if (own.engine !== engine || own.device !== device)
			mention(`workers compute with ${differ}, which may round differently: the result depends on the workers`);
		return true;
	}
}

/** Formats a worker's engine, for example "onnx cpu (1.30.0)"; both engines if trunk and tail use different ones. */
function describeEngine({ trunkEngine, tailEngine, version }: WorkerInfo): string {
	return `${trunkEngine === tailEngine ? trunkEngine : `${trunkEngine} and ${tailEngine}`} (${version})`;
}
