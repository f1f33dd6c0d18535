import type { RestartPolicy } from "../../shared/processes/supervisor.ts";
import { RESTART_FIRST_MS, RESTART_LONGEST_MS } from "../deadlines.ts";

/** Of the processes that a run starts for itself: workers and a nats-server. */
export const RESTART_POLICY: RestartPolicy = {
	maxRestarts: 3,
	firstPauseMs: RESTART_FIRST_MS,
	longestPauseMs: RESTART_LONGEST_MS,
};
