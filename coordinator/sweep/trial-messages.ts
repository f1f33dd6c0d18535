import type { SentError } from "../../shared/sent-error.ts";
import type { RunEvent } from "../events/schemas.ts";
import type { TrialJob } from "./trial-job.ts";
import type { TrialNeeds, TrialShare } from "./trial-shares.ts";

/** Messages from a sweep to a process that trains its trials. */
export type ToTrial =
	| { readonly kind: "job"; readonly job: TrialJob; readonly commandLine: readonly string[] }
	/** The texts are those of the other trials, unless there is an error. */
	| { readonly kind: "texts"; readonly error?: SentError }
	| { readonly kind: "begin"; readonly share: TrialShare };

/** Messages from such a process. It waits for the answer to `texts` and `begin`. */
export type FromTrial =
	| { readonly kind: "event"; readonly event: RunEvent }
	| { readonly kind: "texts"; readonly hash: string }
	| { readonly kind: "begin"; readonly needs: TrialNeeds }
	/** The features of all texts are in the cache. */
	| { readonly kind: "prepared" }
	| { readonly kind: "ended"; readonly isPaused?: boolean; readonly error?: SentError };
