import { type LeaseEvents, Leases } from "../../coordinator/exchange/grpc-leases.ts";
import { Uploads } from "../../coordinator/exchange/grpc-uploads.ts";
import { ServedRuns } from "../../coordinator/exchange/served-runs.ts";
import type { UpdateLogOptions } from "../../coordinator/exchange/update-log.ts";
import { Refusal } from "../../shared/rpc/refusal.ts";
import { ReplicaOracle } from "./replica-oracle.ts";
import type { Node } from "./world.ts";

/** The coordinator's end: the real code for states, updates, uploads and leases, without HTTP/2. */
export class RpcServer {
	readonly node: Node;
	readonly runs: ServedRuns;
	readonly oracle = new ReplicaOracle();
	readonly uploads: Uploads;
	readonly leases: Leases;
	/** Number of streams that aren't closed. */
	streams = 0;

	/** @param logs of the updates that are kept for slow workers */
	constructor(node: Node, events: LeaseEvents, logs: UpdateLogOptions) {
		this.node = node;
		this.runs = new ServedRuns({ ...logs, countWorkers: () => this.leases.workers.length });
		this.uploads = new Uploads({ runs: this.runs, clock: node.clock });
		this.leases = new Leases(events);
	}

	/** Serves a call, and counts its refusal. */
	async serve<Result>(answer: () => Promise<Result>): Promise<Result> {
		try {
			return await answer();
		} catch (error) {
			throw this.#counted(error);
		}
	}

	/** Serves a stream until it is left, and counts its refusal. */
	async *stream<Message>(messages: () => AsyncIterable<Message>): AsyncGenerator<Message> {
		this.streams++;
		try {
			yield* messages();
		} catch (error) {
			throw this.#counted(error);
		} finally {
			this.streams--;
		}
	}

	#counted(error: unknown): unknown {
		if (error instanceof Refusal) {
			this.node.world.count(error.reason);
			this.node.world.log(`${this.node.name}: refuses: ${error.message}`);
		}
		return error;
	}
}
