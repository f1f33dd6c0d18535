import type { Bus } from "../../shared/bus/bus.ts";
import type { AnswerReceiver } from "../../shared/exchange/tensor-exchange.ts";

/** Something wrong in the product, put in on purpose. */
export interface Mutation {
	readonly ofCoordinatorBus?: (bus: Bus) => Bus;
	readonly ofWorkerBus?: (bus: Bus) => Bus;
	readonly ofAnswers?: (answers: AnswerReceiver) => AnswerReceiver;
	/** The coordinator isn't told of a broken connection. */
	readonly ignoresBrokenStreams?: boolean;
	/** Best weights get their name after the checkpoint that needs them. */
	readonly isBestLate?: boolean;
}
