import type { WorkItem, WorkKind } from "../../shared/messages.ts";
import type { PlannedPart } from "../plan/planned-part.ts";
import type { RunContext } from "./run-context.ts";

/** The message that asks a worker for a part of a plan. */
export function toWorkItem(
	{ spec, texts }: Pick<RunContext, "spec" | "texts">,
	kind: WorkKind,
	parameterVersion: number,
	{ part, shard, examples, paddedLength }: PlannedPart,
): WorkItem {
	return {
		runId: spec.runId,
		kind,
		step: parameterVersion,
		part,
		shard,
		parameterVersion,
		sequences: examples.map((example) => texts.sequence(example, paddedLength)),
	};
}
