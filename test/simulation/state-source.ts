import type { UpdatePart } from "../../proto/gen/tailtune/v1/UpdatePart.ts";
import type { Bus } from "../../shared/bus/bus.ts";
import { Refusal } from "../../shared/rpc/refusal.ts";
import { PROTOCOL_VERSION } from "../../shared/rpc/service.ts";
import type { StateSource } from "../../worker/exchange/state-source.ts";
import type { RpcLink } from "./rpc-link.ts";
import type { RpcServer } from "./rpc-server.ts";
import type { Node } from "./world.ts";

/** A fault of the next update that arrives. */
export type UpdateFault = "repeat" | "skip";

export interface SourceParts {
	readonly node: Node;
	readonly server: RpcServer;
	readonly link: RpcLink;
	/** The worker's bus. */
	readonly bus: Pick<Bus, "watchUpdates">;
	readonly runId: string;
	readonly schemaHash: string;
	/** Called when a state begins to arrive, and when updates are read. */
	readonly onRead: (what: "state" | "updates") => void;
	/** Returns the fault of the next update, once. */
	readonly takeFault: () => UpdateFault | undefined;
}

/** The state and the updates of a simulated coordinator, read over the network or published on the bus. */
export function createStateSource({ node, server, link, bus, onRead, takeFault, ...run }: SourceParts): StateSource {
	const { world, name } = node;
	const requestOf = (parameterVersion: number) => ({ protocolVersion: PROTOCOL_VERSION, parameterVersion, ...run });
	return {
		async *getState(wanted, stop) {
			const version = wanted.parameterVersion;
			world.log(`${name}: reads the state of version ${version}`);
			for await (const message of link.read(() => server.runs.sendState({ ...requestOf(version), ...wanted }), stop)) {
				if (message.header) onRead("state");
				yield message;
			}
		},
		async *getUpdates({ parameterVersion, refusedParts }, stop) {
			world.log(`${name}: reads the updates after version ${parameterVersion}`);
			onRead("updates");
			const read = async function* () {
				for await (const { part } of link.read(
					() => server.runs.sendUpdates({ ...requestOf(parameterVersion), refusedParts }),
					stop,
				))
					if (part) yield part;
			};
			try {
				yield* disturb(read(), takeFault);
			} catch (error) {
				if (error instanceof Refusal && error.reason === "REFUSAL_STALE_VERSION") world.count("gap");
				throw error;
			}
		},
		watchUpdates: (stop) => disturb(bus.watchUpdates(run.runId, stop), takeFault),
	};
}

/** Repeats or leaves out whole updates. */
async function* disturb(
	parts: AsyncIterable<UpdatePart>,
	takeFault: () => UpdateFault | undefined,
): AsyncGenerator<UpdatePart> {
	let fault: UpdateFault | undefined;
	let update: UpdatePart[] = [];
	for await (const part of parts) {
		if (part.chunk?.byteOffset === 0) {
			if (fault === "repeat") yield* update;
			fault = takeFault();
			update = [];
		}
		update.push(part);
		if (fault !== "skip") yield part;
	}
	if (fault === "repeat") yield* update;
}
