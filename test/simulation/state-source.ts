import type { FollowUpdatesResponse } from "../../proto/gen/tailtune/v1/FollowUpdatesResponse.ts";
import { Refusal } from "../../shared/rpc/refusal.ts";
import { PROTOCOL_VERSION } from "../../shared/rpc/service.ts";
import type { StateSource } from "../../worker/exchange/run-replica.ts";
import type { RpcLink } from "./rpc-link.ts";
import type { RpcServer } from "./rpc-server.ts";
import type { Node } from "./world.ts";

/** A fault of the next update of a stream. */
export type UpdateFault = "repeat" | "skip";

export interface SourceParts {
	readonly node: Node;
	readonly server: RpcServer;
	readonly link: RpcLink;
	readonly runId: string;
	readonly schemaHash: string;
	/** Called when a state begins to arrive. */
	readonly onState: () => void;
	/** Returns the fault of the next update, once. */
	readonly takeFault: () => UpdateFault | undefined;
}

/** The state and the updates of a simulated coordinator, read over the network. */
export function createStateSource({ node, server, link, onState, takeFault, ...run }: SourceParts): StateSource {
	const { world, name } = node;
	const requestOf = (parameterVersion: number) => ({ protocolVersion: PROTOCOL_VERSION, parameterVersion, ...run });
	return {
		async *getState(wanted, stop) {
			const version = wanted.parameterVersion;
			world.log(`${name}: reads the state of version ${version}`);
			for await (const message of link.read(() => server.runs.sendState({ ...requestOf(version), ...wanted }), stop)) {
				if (message.header) onState();
				yield message;
			}
		},
		async *followUpdates(version, stop) {
			const open = (cutOff: AbortSignal) => server.runs.followUpdates(requestOf(version), cutOff);
			try {
				yield* disturb(link.read(open, stop), takeFault);
			} catch (error) {
				if (error instanceof Refusal && error.reason === "REFUSAL_STALE_VERSION") world.count("gap");
				throw error;
			}
		},
	};
}

/** Repeats or leaves out whole updates. */
async function* disturb(
	messages: AsyncIterable<FollowUpdatesResponse>,
	takeFault: () => UpdateFault | undefined,
): AsyncGenerator<FollowUpdatesResponse> {
	let fault: UpdateFault | undefined;
	let update: FollowUpdatesResponse[] = [];
	for await (const message of messages) {
		if (message.header) {
			fault = takeFault();
			update = [];
		}
		update.push(message);
		if (fault !== "skip") yield message;
		if (fault === "repeat" && message.end) yield* update;
	}
}
