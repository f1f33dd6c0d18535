import type { RestartPolicy } from "../../shared/processes/supervisor.ts";
import { RESTART_FIRST_MS, RESTART_LONGEST_MS } from "../deadlines.ts";

/** Restart policy of the workers and the nats-server that a run has started. */
export const RESTART_POLICY: RestartPolicy = {
	maxRestarts: 3,
	firstPauseMs: RESTART_FIRST_MS,
	longestPauseMs: RESTART_LONGEST_MS,
};
