import type { UpdatePart } from "../../../proto/gen/tailtune/v1/UpdatePart.ts";
import { updatePartCodec } from "../../messages.ts";
import { MOST_WAITING_PARTS } from "../bus.ts";
import { Feed } from "../feed.ts";
import { MOST_UPDATE_BYTES } from "./config.ts";
import type { NatsLink } from "./connection.ts";
import type { NatsNames } from "./subjects.ts";

export interface UpdatesParts {
	readonly link: NatsLink;
	readonly names: NatsNames;
	/** Counts and logs a message that can't be decoded. */
	readonly refuse: (entry: string, error: unknown) => void;
}

/**
 * Sends and receives the updates of runs, without JetStream: the server copies each message to all workers, and stores
 * none. A worker that missed a message asks the coordinator.
 */
export class Updates {
	readonly #parts: UpdatesParts;
	/** Bytes on their way to the server. */
	#underWay = 0;

	constructor(parts: UpdatesParts) {
		this.#parts = parts;
	}

	/** Publishes an update, unless it is too large for the connection or can't be sent now. */
	publish(runId: string, parts: readonly UpdatePart[]): void {
		const { link, names } = this.#parts;
		const messages = parts.map((part) => updatePartCodec.encode(part));
		const bytes = messages.reduce((sum, { length }) => sum + length, 0);
		const isSendable = messages.every(({ length }) => length <= link.maxMessageBytes);
		if (!link.isConnected || !isSendable || this.#underWay + bytes > MOST_UPDATE_BYTES) return;
		try {
			for (const message of messages) link.nc.publish(names.updates(runId), message);
			this.#underWay += bytes;
			const arrived = () => {
				this.#underWay -= bytes;
			};
			link.nc.flush().then(arrived, arrived);
		} catch (error) {
			link.log(`NATS: an update of run ${runId} isn't published: ${error instanceof Error ? error.message : error}`);
		}
	}

	/** Yields the parts of a run's updates until `signal` aborts. */
	async *watch(runId: string, signal: AbortSignal): AsyncGenerator<UpdatePart, void, undefined> {
		const { link, names, refuse } = this.#parts;
		const parts = new Feed<never, UpdatePart>((part) => part, MOST_WAITING_PARTS);
		const subscription = link.nc.subscribe(names.updates(runId), {
			callback: (error, message) => {
				if (error) return link.log(`NATS: ${error.message}`);
				try {
					parts.emit(updatePartCodec.decode(message.data));
				} catch (cause) {
					refuse(message.subject, cause);
				}
			},
		});
		try {
			yield* parts.watch(signal);
		} finally {
			subscription.unsubscribe();
		}
	}
}
