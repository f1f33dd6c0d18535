import type { NewItem, WorkKind } from "../../shared/messages.ts";
import type { PlannedPart } from "../plan/planned-part.ts";
import type { RunContext } from "./run-context.ts";

/** Creates the work item for a part of a plan. */
export function toWorkItem(
	{ cluster, texts }: Pick<RunContext, "cluster" | "texts">,
	kind: WorkKind,
	parameterVersion: number,
	{ shard, examples, paddedLength }: PlannedPart,
): NewItem {
	return {
		runId: cluster.spec.runId,
		kind,
		shard,
		parameterVersion,
		sequences: examples.map((example) => texts.sequence(example, paddedLength)),
	};
}
