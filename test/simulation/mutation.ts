import type { Bus } from "../../shared/bus/bus.ts";

/** Something wrong in the product, put in on purpose. */
export interface Mutation {
	readonly ofCoordinatorBus?: (bus: Bus) => Bus;
	readonly ofWorkerBus?: (bus: Bus) => Bus;
	/** The coordinator isn't told of a broken connection. */
	readonly ignoresBrokenStreams?: boolean;
}
