import { randomUUID } from "node:crypto";
import test from "ava";
import { serveTensors } from "../../../coordinator/exchange/grpc-coordinator-tensors.ts";
import { ServedRuns } from "../../../coordinator/exchange/served-runs.ts";
import { connectNatsBus } from "../../../shared/bus/nats/nats-bus.ts";
import { gradientLength } from "../../../shared/updates/gradient-form.ts";
import { UpdatableState } from "../../../shared/updates/updatable-state.ts";
import { connectTensors } from "../../../worker/exchange/grpc-worker-tensors.ts";
import { startNatsServer } from "../../nats-server.ts";
import { someRun } from "../../shared/bus/messages.ts";
import { sameBits, someSchema } from "../../shared/exchange/conformance.ts";
import { ReceivedAnswers } from "../../shared/exchange/received-answers.ts";

/** Numbers of the parameters: an update has three parts. */
const SIZE = 300_000;

test.serial("over NATS and gRPC, workers have the coordinator's bits and read nothing but the state", async (t) => {
	const nats = await startNatsServer();
	t.teardown(() => nats.stop());
	const prefix = randomUUID();
	const bus = await connectNatsBus({ servers: nats.url, role: "coordinator", prefix });
	t.teardown(() => bus.close());
	const server = await serveTensors();
	t.teardown(() => server.close());
	let calls = 0;
	const { sendUpdates } = ServedRuns.prototype;
	t.teardown(() => {
		ServedRuns.prototype.sendUpdates = sendUpdates;
	});
	ServedRuns.prototype.sendUpdates = function (request) {
		calls++;
		return sendUpdates.call(this, request);
	};
	const schema = someSchema(SIZE);
	await bus.announce(someRun());
	server.openRun("run", schema, new ReceivedAnswers(SIZE), (parts) => bus.publishUpdate("run", parts));
	const state = new UpdatableState(schema.form, SIZE, 1);
	await server.publishState("run", 0, state);
	const workers = await Promise.all(
		["a", "b", "c"].map(async (workerId) => {
			const own = await connectNatsBus({ servers: nats.url, role: "worker", prefix });
			t.teardown(() => own.close());
			const tensors = await connectTensors(server.address, { workerId, bus: own });
			t.teardown(() => tensors.close());
			tensors.openRun("run", schema);
			await tensors.parameters("run", 0);
			// Its request follows that of the watch, so the server knows the watch.
			await own.listRuns();
			return { own, tensors };
		}),
	);
	for (let version = 1; version <= 5; version++) {
		const gradient = new Float32Array(gradientLength(schema.form, 1)).map((_, i) => Math.sin(version + i));
		const scalars = { decay: 0.01, vectorDecay: 0, stepSize: 0.1, epsilon: 1e-8, gradientScale: 0.5 };
		const update = { version, texts: 1, scalars, gradient };
		await server.dropState("run", version - 1);
		await server.publishUpdate("run", update);
		state.apply(update, 1);
		await server.publishState("run", version, state);
		// A reply follows all parts that the server has sent before.
		for (const { own } of [{ own: bus }, ...workers]) await own.listRuns();
		for (const { tensors } of workers) t.true(sameBits(await tensors.parameters("run", version), state.parameters));
	}
	t.is(calls, 0);
});
