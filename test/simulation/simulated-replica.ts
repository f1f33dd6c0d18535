import type { TensorSchema } from "../../shared/exchange/tensor-schema.ts";
import { RunReplica } from "../../worker/exchange/run-replica.ts";
import type { Mutation } from "./mutation.ts";
import type { WatchedReplica } from "./replica-oracle.ts";
import { createStateSource, type SourceParts } from "./state-source.ts";
import type { World } from "./world.ts";

export interface ReplicaParts extends Omit<SourceParts, "schemaHash" | "onRead"> {
	readonly schema: TensorSchema;
	readonly ofSource: Mutation["ofSource"];
}

/** The real replica of a worker, whose memory may be damaged. */
export class SimulatedReplica implements WatchedReplica {
	readonly workerId: string;
	readonly replica: RunReplica;
	parameters: Float32Array | undefined;
	isDamaged = false;
	readonly #world: World;
	/** Whether a state or updates were read since the last request. */
	#isRead = true;
	readonly #endWatch: () => void;

	constructor({ schema, ofSource = (source) => source, ...parts }: ReplicaParts) {
		const { node, server, runId } = parts;
		this.workerId = node.name;
		this.#world = node.world;
		const onRead = (what: "state" | "updates") => {
			this.#isRead = true;
			if (what === "state") this.isDamaged = false;
			else this.#world.count("updates read");
		};
		const source = createStateSource({ ...parts, schemaHash: schema.hash, onRead });
		this.replica = new RunReplica({ runId, schema, source: ofSource(source), clock: node.clock });
		this.#endWatch = server.oracle.watch(this);
		node.whenKilled(this.#endWatch);
	}

	async read(version: number): Promise<Float32Array> {
		const before = this.parameters;
		this.parameters = await this.replica.parameters(version);
		if (!this.#isRead && before !== this.parameters) this.#world.count("updates published");
		this.#isRead = false;
		return this.parameters;
	}

	close(): void {
		this.replica.close();
		for (let i = 0; i < this.replica.refusedParts; i++) this.#world.count("published part refused");
		this.#endWatch();
	}

	/** Changes one bit of the parameters, or of the moments, which lie behind them in the same memory. */
	flipBit(): void {
		if (!this.parameters || this.replica.version === undefined) return;
		const { random } = this.#world;
		const { buffer, byteOffset, byteLength } = this.parameters;
		const end = Math.min(byteOffset + 3 * byteLength, buffer.byteLength);
		const bytes = new Uint8Array(buffer, byteOffset, end - byteOffset);
		// Often in the byte with most of the exponent, because a changed exponent may give numbers that aren't finite.
		const place = 4 * random.whole(0, bytes.length / 4 - 1) + (random.chance(0.5) ? 3 : random.whole(0, 3));
		bytes[place] = (bytes[place] ?? 0) ^ (1 << random.whole(0, 7));
		this.isDamaged = true;
		this.#world.count("flip bit");
	}
}
