import type { WorkerInfo } from "../../shared/messages.ts";
import type { Notices } from "../../shared/notices.ts";

/**
 * The engine of a run, which its first worker decides: only the same engine in the same version computes the same bits. A
 * worker with another one takes no part in the run, unless that is allowed.
 */
export class RunEngine {
	readonly #notices: Notices;
	readonly #areMixed: boolean;
	#first: { readonly engine: string; readonly device: string } | undefined;

	/** @param areMixed workers with other engines take part too */
	constructor(notices: Notices, areMixed: boolean) {
		this.#notices = notices;
		this.#areMixed = areMixed;
	}

	/** Whether a worker takes part in the run; a difference is in the notices. */
	accepts(worker: WorkerInfo): boolean {
		const own = { engine: describeEngine(worker), device: worker.device };
		this.#first ??= own;
		const { engine, device } = this.#first;
		const mention = (text: string) => this.#notices.mention("engines", text);
		if (own.engine !== engine && !this.#areMixed) {
			const expected = `expected ${engine} like the run's first worker, because other engines round differently`;
			mention(
				`worker ${worker.workerId} takes no part: found ${own.engine}, ${expected}; --mixed-engines lets it take part`,
			);
			return false;
		}
		const differ = own.engine !== engine ? `${engine} and ${own.engine}` : `${device} and ${own.device}`;
		if (own.engine !== engine || own.device !== device)
			mention(`workers compute with ${differ}, which may round differently: the result depends on who computes`);
		return true;
	}
}

/** As in "onnx cpu (1.30.0)", or with both engines if trunk and tail have different ones. */
function describeEngine({ trunkEngine, tailEngine, version }: WorkerInfo): string {
	return `${trunkEngine === tailEngine ? trunkEngine : `${trunkEngine} and ${tailEngine}`} (${version})`;
}
