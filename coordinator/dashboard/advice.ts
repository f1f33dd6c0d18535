import type { NoticeKind } from "../../shared/notices.ts";

/** What a person can do about each kind of problem. */
export type Advice = Readonly<Record<NoticeKind, string>>;

/** Advice if the workers are on other machines. */
export const ADVICE: Advice = {
	connection: "Check that nats-server runs and that this machine reaches it. The run continues by itself.",
	"no-jetstream": "Start nats-server with JetStream (-js, or jetstream {} in its configuration).",
	"no-answer": "Check the servers of the NATS cluster: most of them must run. The run continues by itself.",
	"store-full": "Give NATS more space (max_file_store in its configuration), or end runs that aren't needed.",
	"stream-settings": "Use the same version of Tailtune for all coordinators of this NATS server.",
	"one-copy": "Use at least three NATS servers and --nats-replicas 3 if a lost server must not lose work items.",
	engines: "Use workers with the same engine, version and kind of processor if the result must be repeatable.",
	"no-coordinator": "Start a run: npx tailtune train --nats URL.",
	"no-workers": "Start a worker: npx tailtune worker --nats URL. The run continues when one joins.",
	"idle-worker": "Look at that worker's output, and restart it if it hangs. Its work goes to the others.",
	retrying: "Nothing, if it ends soon. Otherwise look at the output of the worker that is named.",
};

const STARTED_HERE =
	"The run starts nats-server itself, and again if it ends. If this lasts, look at the messages in the terminal.";

/** Advice if the run starts its workers and nats-server itself (`--workers`). */
export const ADVICE_FOR_LOCAL_WORKERS: Advice = {
	...ADVICE,
	connection: STARTED_HERE,
	"no-answer": STARTED_HERE,
	"no-workers":
		"The run starts its workers itself, and again if they end. If this lasts, look at the messages in the terminal.",
	"idle-worker": "Its work goes to the others. If this lasts, stop the run and resume it.",
};
