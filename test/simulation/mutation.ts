import type { Bus } from "../../shared/bus/bus.ts";
import type { AnswerReceiver } from "../../shared/exchange/tensor-exchange.ts";
import type { StateSource } from "../../worker/exchange/state-source.ts";

/** A fault added to the product, which the simulation must find. */
export interface Mutation {
	readonly ofCoordinatorBus?: (bus: Bus) => Bus;
	readonly ofWorkerBus?: (bus: Bus) => Bus;
	readonly ofSource?: (source: StateSource) => StateSource;
	readonly ofAnswers?: (answers: AnswerReceiver) => AnswerReceiver;
	/** Whether the coordinator isn't notified of broken connections. */
	readonly ignoresBrokenStreams?: boolean;
	/** Whether the file of the best weights is renamed only after the checkpoint that needs it. */
	readonly isBestLate?: boolean;
}
