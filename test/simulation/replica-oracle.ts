import { fingerprintOf } from "../../shared/vectors/fingerprint.ts";
import type { RunReplica } from "../../worker/exchange/run-replica.ts";

/** A worker's replica of the state. */
export interface WatchedReplica {
	readonly workerId: string;
	readonly replica: RunReplica;
	/** The memory in which the parameters lie; undefined before they are read. */
	parameters?: Float32Array | undefined;
	/** Whether a bit of its memory was flipped since the state was read. */
	isDamaged: boolean;
}

/** Compares the replicas of one coordinator with its own state. */
export class ReplicaOracle {
	/** The first difference that was found. */
	fault: string | undefined;
	/** Fingerprints of the coordinator's parameters by version. */
	readonly #published = new Map<number, number>();
	readonly #replicas = new Set<WatchedReplica>();

	/** Records a state that the coordinator has published. */
	publish(version: number, parameters: Float32Array): void {
		const fingerprint = fingerprintOf(parameters);
		const before = this.#published.get(version);
		if (before !== undefined && before !== fingerprint) this.#find(`version ${version} has changed`);
		this.#published.set(version, fingerprint);
	}

	/** Returns a function that ends this. */
	watch(watched: WatchedReplica): () => void {
		this.#replicas.add(watched);
		return () => this.#replicas.delete(watched);
	}

	/** Compares all undamaged replicas that have a published version. */
	compare(): void {
		for (const { workerId, replica, isDamaged } of this.#replicas) {
			const { version, fingerprint } = replica;
			const published = version === undefined ? undefined : this.#published.get(version);
			if (isDamaged || published === undefined || fingerprint === published) continue;
			this.#find(`the replica of ${workerId} differs from the coordinator's version ${version}`);
		}
	}

	/** Returns a function to call when an answer that is being sent was accepted, or refused as diverged. */
	follow({ workerId, parameters, isDamaged }: WatchedReplica): (outcome: "accepted" | "diverged") => void {
		this.compare();
		const fingerprint = parameters && fingerprintOf(parameters);
		return (outcome) => {
			if (outcome === "diverged" && !isDamaged) this.#find(`${workerId} has a good replica and was refused`);
			const isGood = [...this.#published.values()].includes(fingerprint ?? -1);
			if (outcome === "accepted" && !isGood) this.#find(`an answer of ${workerId} with other parameters was accepted`);
		};
	}

	#find(fault: string): void {
		this.fault ??= fault;
	}
}
