import test from "ava";
import { ServedRuns } from "../../../coordinator/exchange/served-runs.ts";
import { PROTOCOL_VERSION } from "../../../shared/rpc/service.ts";
import { UpdatableState } from "../../../shared/updates/updatable-state.ts";
import { adamWScalars } from "../../../shared/vectors/adamw.ts";
import { someSchema } from "../../shared/exchange/conformance.ts";
import { ReceivedAnswers } from "../../shared/exchange/received-answers.ts";

const schema = someSchema(2);

/** A run that has sent the update to version 1 and not yet applied it. */
async function openPending() {
	const runs = new ServedRuns();
	runs.openRun("run", schema, new ReceivedAnswers(2));
	const state = new UpdatableState(schema.form, 2, 0);
	await runs.publishState("run", 0, state);
	await runs.dropState("run", 0);
	const scalars = adamWScalars(1, { lr: 0.1, weightDecay: 0 });
	await runs.publishUpdate("run", { version: 1, texts: 1, scalars, gradient: Float32Array.of(1, 2) });
	const request = { protocolVersion: PROTOCOL_VERSION, runId: "run", schemaHash: schema.hash };
	const nothing = { stateVersion: 0, byteOffset: 0 };
	const read = (parameterVersion: number) => runs.sendState({ ...request, ...nothing, parameterVersion }).next();
	return { runs, state, read };
}

test("a state whose update is being applied is waited for", async (t) => {
	const { runs, state, read } = await openPending();
	const reading = read(1);
	await runs.publishState("run", 1, state);
	t.is((await reading).value?.header?.parameterVersion, 1);
});

test("a version that is over isn't waited for, even if it is the last one of the log", async (t) => {
	const { runs, state, read } = await openPending();
	await runs.publishState("run", 1, state);
	await runs.dropState("run", 1);
	await runs.publishState("run", 0, { parameters: state.parameters });
	await t.throwsAsync(read(1), { code: "protocol", message: /version 1/ });
});

test("a request that waits ends with the run", async (t) => {
	const { runs, read } = await openPending();
	const reading = read(1);
	runs.closeRun("run");
	await t.throwsAsync(reading, { code: "protocol", message: /version 1/ });
});
